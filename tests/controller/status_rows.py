"""What is wanted of an InferenceService and what runs of it, with the status that tells so."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.desired import Refused, Unit, Wanted, World, desired
from controller.local.plan import HERE
from controller.observe import Failure, Phase, Replica, Running
from controller.resources.codes import Code
from controller.rollout.decide import Rollout, Share
from controller.status import NO_ROLLOUT, CanaryTold
from controller.workload import Role
from tests.controller.manifests import only_service, service

Json = dict[str, Any]
RUN = "{containers: [{command: [run]}]}"
URL = "http://router/services/default/iris"
NOW = 1_700_000_000.0
THEN = "2023-11-14T22:13:20Z"
LATER = "2023-11-14T22:14:20Z"


def wanted(*components: str, host: str | None = "127.0.0.1:1", replicas: int = 1) -> Wanted:
    spec = "spec:" + "".join(f"\n  {name}: {RUN}" for name in ("predictor", *components))
    if replicas > 1:
        spec = spec.replace("predictor: {", f"predictor: {{minReplicas: {replicas}, ")
    world = World(terms=HERE, needs_host=True)
    made = desired(only_service(service(spec)), world, host)
    assert isinstance(made, Wanted)
    return made


ONE, TWO = wanted(), wanted("transformer")
REFUSED = Refused("NoSupportingRuntime", (Code.NO_RUNTIME.at((), "nobody serves it; add one"),))


def replica(phase: Phase, number: int = 0, **more: Any) -> Replica:
    address = f"http://127.0.0.1:{number}" if phase is Phase.READY else None
    return Replica(f"iris-predictor-{number}", phase, NOW + number, address=address, **more)


def runs(unit: Unit | None, *replicas: Replica, role: Role = Role.PREDICTOR) -> Running:
    return Running(unit.role if unit is not None else role, unit, replicas)


CRASH = Failure("Error", "it ended with status 3: no", 3, NOW)
UP = replica(Phase.READY)
LOOP = replica(Phase.FAILED, reason="CrashLoopBackOff", message="again in 10 s", failure=CRASH)
NO_GPU = replica(Phase.PENDING, reason="InsufficientGPU", message="GPU 0 is held by other")
LOADING = replica(Phase.LOADING, 1, reason="Loading", message="its model is on its way")
RESTARTED = replica(Phase.STARTING, restarts=1, failure=CRASH)
PREDICTOR = ONE.units[0]


@dataclass(frozen=True)
class Row:
    wanted: Wanted | Refused | None
    observed: Mapping[Role, Running]
    ready: str  # of Ready: status, or its reason if that is False
    model: tuple[str, str, str] | None  # transition, active, target
    conditions: dict[str, str] = field(default_factory=dict)
    before: Json = field(default_factory=dict)
    failure: str | None = None
    url: str | None = None
    rollout: Rollout = NO_ROLLOUT
    canaries: tuple[CanaryTold, ...] = ()
    idle: bool = False


OLDER = Rollout("iris-00002", "iris-00001", "iris-00001", None, (), (Share("iris-00001", 100),), ())
NONE_OF_IT = Rollout(
    "iris-00002",
    "iris-00002",
    "iris-00001",
    None,
    (),
    (Share("iris-00002", 0), Share("iris-00001", 100, "prev")),
    (),
)
LOADED: Json = {"modelStatus": {"states": {"activeModelState": "Loaded"}}}

ROWS: dict[str, Row] = {
    "nothing runs yet": Row(ONE, {}, "NotCreated", ("InProgress", "", "Pending")),
    "it waits for a GPU": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, NO_GPU)},
        "InsufficientGPU",
        ("InProgress", "", "Pending"),
        {"PredictorReady": "iris-predictor-0: GPU 0 is held by other"},
    ),
    "its model is on its way": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, LOADING)},
        "Loading",
        ("InProgress", "", "Loading"),
        {"IngressReady": "Predictor ingress not created"},
    ),
    "it starts": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, replica(Phase.STARTING))},
        "Starting",
        ("InProgress", "", "Pending"),
    ),
    "it is ready": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, UP)},
        "True",
        ("UpToDate", "Loaded", "Loaded"),
        url=URL,
    ),
    "it does not answer any more": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, replica(Phase.NOT_READY, reason="Unready"))},
        "Unready",
        ("InProgress", "Pending", "Pending"),
        before=LOADED,
    ),
    "it ends again and again": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, LOOP)},
        "CrashLoopBackOff",
        ("BlockedByFailedLoad", "", "FailedToLoad"),
        {"PredictorReady": "iris-predictor-0: again in 10 s"},
        failure="ModelLoadFailed",
    ),
    "it starts after a crash": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, RESTARTED)},
        "Starting",
        ("BlockedByFailedLoad", "", "FailedToLoad"),
        failure="ModelLoadFailed",
    ),
    "it came back after a crash, which is still told": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, replica(Phase.READY, restarts=1, failure=CRASH))},
        "True",
        ("UpToDate", "Loaded", "Loaded"),
        failure="ModelLoadFailed",
        url=URL,
    ),
    "the old one serves while the model of the new one comes": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, UP, LOADING)},
        "True",
        ("InProgress", "Loaded", "Loading"),
        before=LOADED,
        url=URL,
    ),
    "nobody serves its format": Row(
        REFUSED,
        {},
        "NoSupportingRuntime",
        ("InvalidSpec", "", "FailedToLoad"),
        {"PredictorReady": "nobody serves it; add one"},
        failure="NoSupportingRuntime",
    ),
    "a bad edit, and what was good still runs": Row(
        REFUSED,
        {Role.PREDICTOR: runs(PREDICTOR, UP)},
        "True",
        ("InvalidSpec", "Loaded", "FailedToLoad"),
        before=LOADED,
        failure="NoSupportingRuntime",
        url=URL,
    ),
    "the transformer waits for its predictor": Row(
        wanted("transformer", host=None),
        {Role.PREDICTOR: runs(PREDICTOR, replica(Phase.STARTING))},
        "Starting",
        ("InProgress", "", "Pending"),
        {"TransformerReady": "waits for its predictor"},
    ),
    "the predictor is ready, the transformer is not": Row(
        TWO,
        {
            Role.PREDICTOR: runs(TWO.units[0], UP),
            Role.TRANSFORMER: runs(TWO.units[1], replica(Phase.STARTING)),
        },
        "Starting",
        ("InProgress", "", "Pending"),
        {"IngressReady": "Transformer ingress not created"},
    ),
    "both are ready: callers talk to the transformer": Row(
        TWO,
        {
            Role.PREDICTOR: runs(TWO.units[0], UP),
            Role.TRANSFORMER: runs(TWO.units[1], replica(Phase.READY, 7)),
        },
        "True",
        ("UpToDate", "Loaded", "Loaded"),
        url=URL,
    ),
    "the model of the new one cannot be had, the old one serves": Row(
        ONE,
        {
            Role.PREDICTOR: runs(
                PREDICTOR,
                UP,
                replica(Phase.FAILED, 1, failure=Failure("ModelLoadFailed", "no such", None, NOW)),
            )
        },
        "True",
        ("BlockedByFailedLoad", "Loaded", "FailedToLoad"),
        before=LOADED,
        failure="ModelLoadFailed",
        url=URL,
    ),
    "a quarter of the replicas may be away": Row(
        wanted(replicas=4),
        {
            Role.PREDICTOR: runs(
                wanted(replicas=4).units[0],
                *(replica(Phase.READY, number) for number in (1, 2, 3)),
                replica(Phase.STARTING),
            )
        },
        "True",
        ("UpToDate", "Loaded", "Loaded"),
        url=URL,
    ),
    "one of two is too few": Row(
        wanted(replicas=2),
        {Role.PREDICTOR: runs(wanted(replicas=2).units[0], replica(Phase.READY, 1), LOOP)},
        "CrashLoopBackOff",
        ("InProgress", "", "Pending"),
        failure="ModelLoadFailed",
    ),
    "the newest revision comes while an older one serves": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, replica(Phase.STARTING))},
        "Unknown",
        ("InProgress", "Loaded", "Pending"),
        {"PredictorReady": "iris-00001 serves", "IngressReady": "True"},
        before=LOADED,
        url=URL,
        rollout=OLDER,
    ),
    "the newest revision fails, an older one serves": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, LOOP)},
        "CrashLoopBackOff",
        ("BlockedByFailedLoad", "Loaded", "FailedToLoad"),
        {"PredictorReady": "iris-predictor-0: again in 10 s; iris-00001 serves"},
        before=LOADED,
        failure="ModelLoadFailed",
        url=URL,
        rollout=OLDER,
    ),
    "the newest revision waits for its first call at 0 percent": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, UP)},
        "True",
        ("UpToDate", "Loaded", "Loaded"),
        url=URL,
        rollout=NONE_OF_IT,
    ),
    "scaled to zero it is ready, and stands by": Row(
        ONE,
        {Role.PREDICTOR: runs(replace(PREDICTOR, replicas=0))},
        "True",
        ("UpToDate", "Standby", "Standby"),
        url=URL,
    ),
    "on its way back from zero it is ready, as calls wait for it": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, replica(Phase.STARTING))},
        "True",
        ("UpToDate", "Loaded", "Loaded"),
        url=URL,
        idle=True,
    ),
    "canaries, one of them not ready": Row(
        ONE,
        {Role.PREDICTOR: runs(PREDICTOR, UP)},
        "True",
        ("UpToDate", "Loaded", "Loaded"),
        {"CanaryPredictorReady": "v3: nobody serves it"},
        url=URL,
        canaries=(CanaryTold("v2", True, 10), CanaryTold("v3", False, 5, "nobody serves it")),
    ),
    "it is stopped": Row(None, {}, "Stopped", None, {"Stopped": "True"}),
    "it is being stopped": Row(
        None,
        {Role.PREDICTOR: runs(None, replica(Phase.STOPPING))},
        "Stopped",
        None,
        {"Stopped": "predictor still ending"},
    ),
}
