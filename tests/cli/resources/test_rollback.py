"""`graphway rollback` and `get revisions`, over an API whose controller is played here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.rollout.revision import Named, Revision, written
from controller.store.changes import Change
from controller.store.own_kinds import AUTOSCALER, CONTROLLER_REVISION, POD
from controller.store.owned import SERVICE_LABEL
from controller.store.refs import Json, Ref
from controller.store.store import Store
from tests.cli.resources.conftest import Graphway, flowers, iris
from tests.kit.api_server import ApiServer, ref

ISVC = "inferenceservice.serving.kserve.io/iris"
ONE, TWO = "gs://models/one", "gs://models/two"


def spec(uri: str, **more: object) -> Json:
    return {"predictor": {"sklearn": {"storageUri": uri}, **more}}


def status(created: int, shares: dict[int, int], rolled: int, generation: int) -> Json:
    traffic = [
        {"revisionName": f"iris-{number:05d}", "percent": percent}
        for number, percent in shares.items()
    ]
    predictor = {
        "latestCreatedRevision": f"iris-{created:05d}",
        "latestRolledoutRevision": f"iris-{rolled:05d}",
        "traffic": traffic,
    }
    return {"observedGeneration": generation, "components": {"predictor": predictor}}


def controller(store: Store, change: Change) -> None:
    """Whatever is asked for gets all calls."""
    live = store.find(change.ref)
    if change.ref.kind.name != "InferenceService" or live is None:
        return
    number = 1 if live["spec"]["predictor"]["sklearn"]["storageUri"] == ONE else 2
    said = status(number, {number: 100}, number, live["metadata"]["generation"])
    if "canaryTrafficPercent" not in live["spec"]["predictor"] and live.get("status") != said:
        store.replace_status(change.ref, said)


def keep(store: Store, number: int, said: Json, unit: str) -> None:
    kept = Revision(
        number, f"iris-{number:05d}", "", str(number), {"predictor": Named(unit, "")}, said, {}, []
    )
    store.create(CONTROLLER_REVISION, written(kept, store.get(ref("isvc", "iris"))))


def canary(store: Store) -> None:
    """Revision 2 has ten percent of the calls."""
    annotations = {"graphway.dev/manifest": "/here/iris.yaml"}
    live = iris(annotations=annotations) | {"spec": spec(TWO, canaryTrafficPercent=10)}
    made = store.create(ref("isvc", "iris").kind, live)
    keep(store, 1, spec(ONE), "predictor-00001")
    keep(store, 2, spec(TWO, canaryTrafficPercent=10), "predictor-00002")
    for number, ready in ((1, True), (2, False)):
        pod = store.create(POD, replica(f"iris-predictor-0000{number}-0"))
        store.replace_status(
            ref_of_pod(pod), {"phase": "Running", "conditions": [condition(ready)]}
        )
    store.replace_status(
        ref("isvc", "iris"), status(2, {2: 10, 1: 90}, 1, made["metadata"]["generation"])
    )


def replica(name: str) -> Json:
    labels = {SERVICE_LABEL: "iris", "component": "predictor"}
    metadata = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def condition(ready: bool) -> Json:
    return {"type": "Ready", "status": "True" if ready else "False"}


def ref_of_pod(pod: Json) -> Ref:
    return Ref(POD, "default", pod["metadata"]["name"])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path, on_change=controller).running() as running:
        running.act(canary)
        yield running


def live(server: ApiServer) -> Json:
    return server.act(lambda store: store.get(ref("isvc", "iris")))


def test_a_canary_goes_back_and_calls_with_it(server: ApiServer, graphway: Graphway) -> None:
    done = graphway("rollback", "iris")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{ISVC} goes back to iris-00001",
        f"  ~ spec.predictor.sklearn.storageUri: {TWO} -> {ONE}",
        "  - spec.predictor.canaryTrafficPercent: 10",
        "all calls go to iris-00001",
    ]
    assert "/here/iris.yaml says it otherwise" in done.stderr
    assert live(server)["spec"] == spec(ONE)


def test_a_named_revision_is_promoted_too(server: ApiServer, graphway: Graphway) -> None:
    done = graphway("rollback", "isvc/iris", "--to-revision", "2")
    assert done.stdout.splitlines()[-1] == "all calls go to iris-00002"
    assert live(server)["spec"] == spec(TWO)
    again = graphway("rollback", "iris", "--to-revision", "2")
    assert (again.exit_code, again.stdout) == (0, "all calls go to iris-00002 already\n")


def test_a_dry_run_changes_nothing(server: ApiServer, graphway: Graphway) -> None:
    before = live(server)
    done = graphway("rollback", "iris", "--dry-run")
    assert done.stdout.startswith(f"{ISVC} goes back to iris-00001 (dry run)\n")
    assert live(server) == before


def test_without_waiting_it_ends_at_once(server: ApiServer, graphway: Graphway) -> None:
    done = graphway("rollback", "iris", "--no-wait")
    assert (done.exit_code, "all calls" in done.stdout) == (0, False)


def test_what_is_stopped_is_not_waited_for(server: ApiServer, graphway: Graphway) -> None:
    graphway("stop", "iris")
    done = graphway("rollback", "iris")
    assert done.stdout.splitlines()[-1] == "it is stopped; `graphway resume iris` starts it"


def test_waiting_has_an_end_and_says_how_far_it_came(tmp_path: Path, graphway: Graphway) -> None:
    with ApiServer(tmp_path).running() as idle:  # nobody acts upon what is written
        idle.act(canary)
        done = graphway("rollback", "iris", "--timeout", "0.2")
    assert done.exit_code == 1
    assert "waiting: calls go to iris-00002 (10 %), iris-00001 (90 %)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("not within 0.2 s: calls go to iris-00002")


FAULTS = [
    ("no such revision", ["iris", "--to-revision", "7"], 1, "has no revision 7: kept are 1, 2"),
    ("no such service", ["rose"], 1, '"rose" not found'),
    ("a graph", ["ig/flowers"], 2, "inferencegraphs have no revisions; inferenceservices do"),
]


@pytest.mark.parametrize(
    ("words", "code", "told"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_faults(
    server: ApiServer, graphway: Graphway, words: list[str], code: int, told: str
) -> None:
    server.act(lambda store: store.create(ref("ig", "flowers").kind, flowers()))
    done = graphway("rollback", *words)
    assert (done.exit_code, done.stdout) == (code, "")
    assert told in done.stderr


def test_the_first_revision_has_none_before(server: ApiServer, graphway: Graphway) -> None:
    graphway("rollback", "iris")
    done = graphway("rollback", "iris")
    assert done.exit_code == 1
    assert "has nothing to go back to: kept are 1, 2" in done.stderr


def test_a_runtime_that_changed_is_told_as_the_reason(
    server: ApiServer, graphway: Graphway
) -> None:
    same = spec(TWO, canaryTrafficPercent=10)
    server.act(lambda store: keep(store, 3, same, "predictor-00003"))
    graphway("rollback", "iris", "--to-revision", "2")
    done = graphway("rollback", "iris", "--to-revision", "3")
    assert done.exit_code == 1
    assert "iris-00003 and iris-00002 have the same specification: the runtime" in done.stderr


def test_revisions_are_shown_with_their_shares(server: ApiServer, graphway: Graphway) -> None:
    for where in ([], ["-n", "default", "-o", "wide"]):
        rows = graphway("get", "revisions", *where).stdout.splitlines()
        shown = [row.split()[:-1] for row in rows]
        assert shown == [
            ["NAME", "CONTROLLER", "REVISION", "CANARY", "SHARE", "READY", "STATE"],
            ["iris-00001", "iris", "1", "90%", "1/1", "Ready"],
            ["iris-00002", "iris", "2", "10%", "0/1", "Starting"],
        ]
    one = graphway("get", "rev", "iris-00002").stdout.splitlines()
    assert one[1].split()[:-1] == ["iris-00002", "iris", "2", "10%", "0/1", "Starting"]


def test_describe_tells_revisions_and_scaling(server: ApiServer, graphway: Graphway) -> None:
    server.act(scaled)
    told = [" ".join(x.split()) for x in graphway("describe", "isvc", "iris").stdout.splitlines()]
    at = told.index("Revisions:")
    assert told[at + 1] == "NAME SHARE READY STATE CANARY CREATED"
    assert told[at + 2].startswith("iris-00002 10% 0/1 Starting 20")
    assert told[at + 3].startswith("iris-00001 90% 1/1 Ready 20")
    assert told[at + 4 : at + 7] == [
        "Scaling:",
        "NAME REPLICAS BOUNDS LAST SCALED WHY",
        "iris-00001 1 -> 3 0-3 2026-11-21T11:00:00Z 30 in flight; more are wanted than 3",
    ]
    assert "Events:" not in told


def scaled(store: Store) -> None:
    owner = store.get(ref("isvc", "iris"))
    conditions = [
        {"type": "AbleToScale", "status": "True", "message": "30 in flight"},
        {"type": "ScalingActive", "status": "True", "message": "in stable mode"},
        {"type": "ScalingLimited", "status": "True", "message": "more are wanted than 3"},
    ]
    metadata = {
        "name": "iris-00001",
        "namespace": "default",
        "labels": {SERVICE_LABEL: owner["metadata"]["name"]},
    }
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {"minReplicas": 0, "maxReplicas": 3},
    }
    made = store.create(AUTOSCALER, scaler)
    status = {
        "currentReplicas": 1,
        "desiredReplicas": 3,
        "lastScaleTime": "2026-11-21T11:00:00Z",
        "conditions": conditions,
    }
    store.replace_status(Ref.of(AUTOSCALER, made), status)
