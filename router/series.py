"""Every metric that we export: one table of name, kind, labels and help.

The worker's rows are counted by the data plane under these names, the parent's
rows are filled in when somebody scrapes. `docs/metrics.md` is this table, and a test keeps it so.
Nothing here knows Prometheus, so the data plane may read it.
"""

from typing import NamedTuple

from router.counters import Kind

IN_FLIGHT = "graphway_requests_in_flight"
SERVICE_IN_FLIGHT = "graphway_service_requests_in_flight"
SERVICE_HELD = "graphway_service_requests_held"
SERVICE_REQUESTS = "graphway_service_requests_total"
SERVICE_DURATION = "graphway_service_request_duration_seconds"
REPLICA_IN_FLIGHT = "graphway_replica_requests_in_flight"

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM


class Metric(NamedTuple):
    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


WORKER_METRICS: tuple[Metric, ...] = (
    Metric(
        "graphway_requests_total", COUNTER, ("graph", "code"), "Requests answered, by status code."
    ),
    Metric(
        "graphway_request_duration_seconds",
        HISTOGRAM,
        ("graph",),
        "Time from the head of a request to the end of its answer.",
    ),
    Metric(
        "graphway_first_byte_seconds",
        HISTOGRAM,
        ("graph",),
        "Time from the head of a request to the first byte of the body of an answer that streams.",
    ),
    Metric(IN_FLIGHT, GAUGE, ("graph",), "Requests being worked on now."),
    Metric(
        "graphway_step_calls_total",
        COUNTER,
        ("graph", "node", "step", "code"),
        "Calls to predictors, by status code, kind of failure, or `cancelled`.",
    ),
    Metric(
        "graphway_step_duration_seconds",
        HISTOGRAM,
        ("graph", "node", "step"),
        "Time from sending a call to the end of its answer.",
    ),
    Metric(
        "graphway_splitter_choices_total",
        COUNTER,
        ("graph", "node", "step"),
        "How often a Splitter chose this step.",
    ),
    Metric(
        "graphway_condition_errors_total",
        COUNTER,
        ("graph", "node", "step"),
        "How often a `cel:` condition could not be evaluated, which is no match.",
    ),
    Metric(
        "graphway_upstream_connections_opened_total",
        COUNTER,
        ("target",),
        "Connections opened to predictors.",
    ),
    Metric(
        "graphway_upstream_connections_reused_total",
        COUNTER,
        ("target",),
        "Calls that found a pooled connection.",
    ),
    Metric(
        SERVICE_REQUESTS,
        COUNTER,
        ("service", "revision", "code"),
        "Requests to a service, by status code, kind of failure, or `cancelled`.",
    ),
    Metric(
        SERVICE_DURATION,
        HISTOGRAM,
        ("service", "revision"),
        "Time from asking a service to the end of its answer, waiting for a replica included.",
    ),
    Metric(
        SERVICE_IN_FLIGHT,
        GAUGE,
        ("service", "revision"),
        "Requests that replicas of a service work on now.",
    ),
    Metric(
        SERVICE_HELD,
        GAUGE,
        ("service", "revision"),
        "Requests that wait for the first replica of a service.",
    ),
    Metric(
        REPLICA_IN_FLIGHT,
        GAUGE,
        ("target",),
        "Requests that one replica of a service works on now.",
    ),
    Metric("graphway_log_lines_dropped_total", COUNTER, (), "Log lines that nobody took in time."),
)

PARENT_METRICS: tuple[Metric, ...] = (
    Metric(
        "graphway_reloads_total",
        COUNTER,
        ("result",),
        "Reloads: success, failure (something was bad; what was good still serves) or unchanged.",
    ),
    Metric(
        "graphway_last_reload_successful",
        GAUGE,
        (),
        "1 if the newest files are all served, else 0.",
    ),
    Metric(
        "graphway_last_reload_success_timestamp_seconds",
        GAUGE,
        (),
        "When the newest files were last all good.",
    ),
    Metric(
        "graphway_graph_info", GAUGE, ("graph", "revision"), "1 for each graph, with its revision."
    ),
    Metric(
        "graphway_graph_up_to_date",
        GAUGE,
        ("graph",),
        "0 if the newest edit of this graph is bad and an older one serves, else 1.",
    ),
    Metric(
        "graphway_graph_loaded_timestamp_seconds",
        GAUGE,
        ("graph",),
        "Since when this revision serves.",
    ),
    Metric(
        "graphway_workers", GAUGE, (), "Worker processes as configured, those for gRPC among them."
    ),
    Metric("graphway_workers_serving", GAUGE, (), "Worker processes that serve now."),
    Metric(
        "graphway_worker_restarts_total",
        COUNTER,
        ("reason",),
        "Workers that were started again: died, or hung (no sign of life, so they were killed).",
    ),
    Metric(
        "graphway_series_refused_total",
        COUNTER,
        (),
        "Look-ups of a metric's series that found no room in the counters of a worker.",
    ),
    Metric("graphway_build_info", GAUGE, ("version", "python"), "1, with the versions in use."),
)

METRICS = WORKER_METRICS + PARENT_METRICS
