"""`Client`: typed resources out and back, waiting, events; what is raised when it cannot be."""

import asyncio
import threading
from pathlib import Path

import pytest

from controller.store.changes import Change
from controller.store.refs import Json
from controller.store.store import Store
from graphway import (
    ApiError,
    Client,
    InferenceGraph,
    InferenceService,
    NoServer,
    NotReady,
    ObjectMeta,
    Secret,
    Unreachable,
    to_yaml,
)
from tests.kit.api_server import ApiServer, ready, ref
from tests.sdk.conftest import flowers, iris

WHERE = ref("isvc", "iris")


@pytest.fixture
def client(server: ApiServer) -> Client:
    return Client()


def test_what_is_applied_comes_back_as_it_is_kept(client: Client) -> None:
    kept = client.apply(iris())
    assert isinstance(kept, InferenceService)
    assert kept.metadata.uid
    assert kept.spec == iris().spec
    assert client.get(InferenceService, "iris").metadata.uid == kept.metadata.uid


def test_what_came_back_can_be_applied_again(client: Client) -> None:
    client.apply(iris())
    first = client.wait_ready(iris())
    again = client.apply(first)
    assert again.metadata.resource_version == first.metadata.resource_version


def test_plain_manifests_are_resources_too(client: Client) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": "lab"},
        "stringData": {"password": "hunter2"},
    }
    assert client.apply(manifest)["metadata"]["namespace"] == "lab"
    assert client.get(Secret, "key", "lab").data == {"password": "aHVudGVyMg=="}


def test_a_dry_run_changes_nothing(client: Client) -> None:
    assert client.apply(iris(), dry_run=True).metadata.uid
    assert client.list(InferenceService) == []


def test_list_by_namespace_and_label(client: Client) -> None:
    client.apply(iris())
    client.apply(
        iris().model_copy(
            update={"metadata": ObjectMeta(name="iris", namespace="lab", labels={"a": "b"})}
        )
    )
    assert [x.key for x in client.list(InferenceService)] == ["default/iris", "lab/iris"]
    assert [x.key for x in client.list(InferenceService, "lab")] == ["lab/iris"]
    assert [x.key for x in client.list(InferenceService, labels="a=b")] == ["lab/iris"]
    assert client.list(InferenceGraph) == []


def test_yaml_is_a_manifest() -> None:
    assert to_yaml(flowers()) == (
        "apiVersion: serving.kserve.io/v1alpha1\n"
        "kind: InferenceGraph\n"
        "metadata:\n"
        "  name: flowers\n"
        "spec:\n"
        "  nodes:\n"
        "    root:\n"
        "      routerType: Sequence\n"
        "      steps:\n"
        "      - serviceName: iris\n"
    )


def test_ready_is_the_last_state(client: Client) -> None:
    for resource in (iris(), flowers()):
        client.apply(resource)
        found = client.wait_ready(resource)
        assert found.status is not None
        assert found.status.url == f"http://127.0.0.1:1/{resource.name}"


def test_waiting_hears_of_each_change(tmp_path: Path) -> None:
    """The controller takes its time, and says something else before."""

    def slowly(store: Store, change: Change) -> None:
        generation = change.object["metadata"].get("generation")
        if change.type == "ADDED" and change.ref == WHERE:
            states = [("False", generation), ("True", 0), ("True", generation)]
            for number, (status, observed) in enumerate(states):
                said = {
                    "observedGeneration": observed,
                    "conditions": [{"type": "Ready", "status": status, "message": str(number)}],
                }
                asyncio.get_running_loop().call_later(
                    0.1 * (number + 1), store.replace_status, WHERE, said
                )

    with ApiServer(tmp_path, on_change=slowly).running() as server:
        client = Client(server.url)
        client.apply(iris())
        found = client.wait_ready(iris())
        assert found.status is not None
        assert [condition.message for condition in found.status.conditions] == ["2"]


def unready(reason: str, message: str = "", **status: object) -> Json:
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": message}
    noise = {"type": "TransformerReady", "status": "False", "severity": "Info", "reason": "Not"}
    return {"observedGeneration": 1, "conditions": [ready, noise], **status}


INVALID = {"transitionStatus": "InvalidSpec", "lastFailureInfo": {"message": "no such runtime"}}
FAILED = {
    "transitionStatus": "BlockedByFailedLoad",
    "lastFailureInfo": {"message": "exit code 1"},
}
REASONS = [
    ("nothing yet", {}, "nothing is said of it yet"),
    ("a condition", unready("NotCreated"), "Ready NotCreated"),
    ("a message", unready("Crash", "exit code 1"), "Ready Crash: exit code 1"),
    ("a failure", unready("Crash", modelStatus=FAILED), "Ready Crash; last failure: exit code 1"),
]


@pytest.mark.parametrize(("status", "told"), [r[1:] for r in REASONS], ids=[r[0] for r in REASONS])
def test_what_does_not_become_ready_says_why(tmp_path: Path, status: Json, told: str) -> None:
    with ApiServer(tmp_path).running() as server:
        client = Client(server.url)
        client.apply(iris())
        server.act(lambda store: store.replace_status(WHERE, status))
        with pytest.raises(NotReady) as raised:
            client.wait_ready(iris(), timeout_s=0.01)
    assert str(raised.value) == f"InferenceService iris is not ready: {told}"
    assert raised.value.resource["metadata"]["name"] == "iris"


def test_a_hopeless_one_is_not_waited_for(tmp_path: Path) -> None:
    """With the time that it would be waited for, this test would never end."""
    with ApiServer(tmp_path).running() as server:
        client = Client(server.url)
        client.apply(iris())
        status = unready("NoSupportingRuntime", modelStatus=INVALID)
        server.act(lambda store: store.replace_status(WHERE, status))
        with pytest.raises(NotReady, match="no such runtime"):
            client.wait_ready(iris(), timeout_s=3600)


def test_what_is_deleted_while_it_is_waited_for_is_not_there(tmp_path: Path) -> None:
    with ApiServer(tmp_path).running() as server:
        client = Client(server.url)
        client.apply(iris())
        deleter = threading.Timer(0.1, server.act, [lambda store: store.delete(WHERE)])
        deleter.start()
        with pytest.raises(NotReady, match="InferenceService iris is not there"):
            client.wait_ready(iris(), timeout_s=3600)
        deleter.join()


def test_delete_returns_when_it_is_gone(client: Client, server: ApiServer) -> None:
    client.apply(iris())
    client.delete(iris())
    with pytest.raises(ApiError) as raised:
        client.get(InferenceService, "iris")
    assert (raised.value.code, raised.value.reason) == (404, "NotFound")


def test_delete_waits_for_those_who_hold_it(client: Client, server: ApiServer) -> None:
    held = ObjectMeta(name="iris", finalizers=("graphway.dev/run",))
    client.apply(iris().model_copy(update={"metadata": held}))
    with pytest.raises(TimeoutError, match=r"InferenceService iris is still there after 0\.01 s"):
        client.delete(iris(), timeout_s=0.01)
    client.delete(iris(), timeout_s=None)

    def let_go(store: Store) -> None:
        store.edit(WHERE, lambda live: live | {"metadata": live["metadata"] | {"finalizers": []}})

    later = threading.Timer(0.1, server.act, [let_go])
    later.start()
    client.delete(iris(), timeout_s=3600)
    later.join()
    assert client.list(InferenceService) == []


def test_events_are_in_their_order(client: Client, server: ApiServer) -> None:
    client.apply(iris())
    client.apply(flowers())
    server.record("ig", "flowers", "Ready", "of somebody else")
    server.record("isvc", "iris", "Crash", "exit code 1", warning=True)
    server.record("isvc", "iris", "Crash", "exit code 1", warning=True)
    (event,) = client.events(iris())
    assert (event.type, event.reason, event.message, event.count) == (
        "Warning",
        "Crash",
        "exit code 1",
        2,
    )


def test_refusals_have_each_field(client: Client) -> None:
    with pytest.raises(ApiError) as raised:
        client.apply(
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": "iris"},
                "spec": {"predictr": {}},
            }
        )
    assert raised.value.code == 422
    assert raised.value.details is not None
    assert {cause["field"] for cause in raised.value.details["causes"]} == {
        "spec.predictor",
        "spec.predictr",
    }


def test_a_kind_that_nobody_keeps(client: Client) -> None:
    with pytest.raises(ApiError, match="keeps no Deployment"):
        client.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}})


def test_warnings_are_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    old = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": "iris",
            "annotations": {"serving.kserve.io/deploymentMode": "RawDeployment"},
        },
        "spec": {"predictor": {"sklearn": {"storageUri": "gs://models/iris"}}},
    }
    client.apply(old)
    assert any("Standard" in record.message for record in caplog.records)


def test_nobody_to_talk_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_HOME", str(tmp_path))
    with pytest.raises(NoServer, match="no graphway runs here"):
        Client()
    with pytest.raises(NoServer, match="is no URL"):
        Client("nowhere:x")
    with pytest.raises(Unreachable, match="no answer from"):
        Client("http://127.0.0.1:1").list(InferenceService)


def test_a_token_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_HOME", str(tmp_path / "elsewhere"))
    with ApiServer(tmp_path, token="secret", on_change=ready).running() as server:
        assert Client(server.url, token="secret").list(InferenceService) == []
        with pytest.raises(ApiError, match="Unauthorized"):
            Client(server.url).list(InferenceService)
