"""What differs here from a cluster in what is to run.

Ports are chosen when a process starts, so others learn of them by variables that the backend fills
in: `$(PORT)` is a process's own first one, and PREDICTOR_HOST must be among the variables of
whoever calls the predictor.
"""

from controller.workload import Terms

PREDICTOR_HOST = "PREDICTOR_HOST"

LOCAL = Terms(
    predictor_host=f"$({PREDICTOR_HOST})",
    http_port="$(PORT)",
    asks_model=True,
    words_beside=True,
)
