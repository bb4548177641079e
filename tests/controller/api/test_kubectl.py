"""A stock kubectl against the API: what people type, and what they then see."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from controller.resources.kinds import by_name
from controller.store.own_kinds import POD
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from tests.controller.api.kit import CONFIG_MAP, Api, running
from tests.kit.eventually import eventually

ISVC = by_name("isvc")
assert ISVC is not None
IRIS = Ref(ISVC, "default", "iris")

MANIFESTS = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: iris
spec:
  predictor:
    sklearn:
      storageUri: s3://models/iris
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata:
  name: flow
spec:
  nodes:
    root:
      routerType: Sequence
      steps:
        - serviceName: iris
---
apiVersion: v1
kind: Secret
metadata:
  name: keys
stringData:
  AWS_ACCESS_KEY_ID: me
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: reader
secrets:
  - name: keys
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  a: "1"
"""
NAMES = [
    "inferenceservice.serving.kserve.io/iris",
    "inferencegraph.serving.kserve.io/flow",
    "secret/keys",
    "serviceaccount/reader",
    "configmap/settings",
]
SERVICE = MANIFESTS.split("---", maxsplit=1)[0]


def ready(status: str) -> Json:
    return {"url": "http://iris", "conditions": [{"type": "Ready", "status": status}]}


async def test_what_there_is(api: Api) -> None:
    found = await api.kubectl("api-resources", "--no-headers")
    rows = {line.split()[0]: line.split() for line in found.splitlines()}
    assert rows["inferenceservices"][1:] == [
        "isvc",
        "serving.kserve.io/v1beta1",
        "true",
        "InferenceService",
    ]
    assert {"inferencegraphs", "servingruntimes", "secrets", "events", "pods"} <= set(rows)
    assert "KIND:       InferenceGraph" in await api.kubectl("explain", "ig")
    assert "minReplicas" in await api.kubectl("explain", "isvc.spec.predictor")


@pytest.mark.parametrize("how", [(), ("--server-side",)])
async def test_apply_edit_and_apply_again(api: Api, how: tuple[str, ...]) -> None:
    apply = ("apply", *how, "-f", "-")
    first = await api.kubectl(*apply, stdin=MANIFESTS)
    done = "serverside-applied" if how else "created"
    assert first.splitlines() == [f"{name} {done}" for name in NAMES]
    version = api.store.version
    again = await api.kubectl(*apply, stdin=MANIFESTS)
    assert "warning" not in again.lower()
    assert api.store.version == version
    edited = (
        MANIFESTS.replace("s3://models/iris", "s3://models/other")
        .replace('a: "1"', 'b: "2"')
        .replace("- name: keys", "- name: others")
    )
    await api.kubectl(*apply, stdin=edited)
    assert api.store.get(IRIS)["spec"]["predictor"]["sklearn"] == {
        "storageUri": "s3://models/other"
    }
    assert api.store.get(Ref(CONFIG_MAP, "default", "settings"))["data"] == {"b": "2"}
    account = json.loads(await api.kubectl("get", "sa", "reader", "-o", "json"))
    assert account["secrets"] == [{"name": "others"}]


async def test_ways_to_look(api: Api) -> None:
    await api.kubectl("create", "-f", "-", stdin=MANIFESTS)
    api.store.replace_status(IRIS, ready("True"))
    head, row = (await api.kubectl("get", "isvc")).splitlines()
    assert head.split() == ["NAME", "URL", "READY", "PREV", "LATEST", "AGE"]
    assert row.split() == ["iris", "http://iris", "True", "0s"]
    wide = await api.kubectl("get", "isvc", "-o", "wide")
    assert "LATESTREADYREVISION" in wide
    looks = {
        ("-o", "name"): "inferenceservice.serving.kserve.io/iris\n",
        ("-o", "jsonpath={.items[0].status.url}"): "http://iris",
        ("-A", "-o", "name"): "inferenceservice.serving.kserve.io/iris\n",
        ("-l", "app=none"): "No resources found in default namespace.\n",
        ("-n", "other"): "No resources found in other namespace.\n",
        ("--field-selector", "metadata.name!=iris"): "No resources found in default namespace.\n",
    }
    for how, seen in looks.items():
        assert await api.kubectl("get", "inferenceservices.serving.kserve.io", *how) == seen
    shown = json.loads(await api.kubectl("get", "isvc/iris", "-o", "json"))
    assert shown == api.store.get(IRIS)
    everything = await api.kubectl("get", "all", "-A")
    assert "inferencegraph.serving.kserve.io/flow" in everything
    described = await api.kubectl("describe", "isvc", "iris")
    assert "Storage Uri:  s3://models/iris" in described


async def test_events(api: Api) -> None:
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    record = Recorder(api.store).record
    record(api.store.get(IRIS), "ModelLoaded", "it loaded")
    record(api.store.get(IRIS), "ModelLoaded", "it loaded")
    listed = await api.kubectl("get", "events")
    assert "inferenceservice/iris" in listed
    assert "it loaded" in listed
    assert "ModelLoaded" in await api.kubectl("events", "--for", "isvc/iris")
    assert "it loaded" in await api.kubectl("describe", "isvc/iris")
    nothing = await api.kubectl("get", "events", "--field-selector", "type=Warning")
    assert nothing.startswith("No resources found")


async def test_changes_by_hand(api: Api) -> None:
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    await api.kubectl("label", "isvc/iris", "app=x")
    await api.kubectl("annotate", "isvc/iris", "serving.kserve.io/stop=true")
    patch = json.dumps({"spec": {"predictor": {"minReplicas": 3}}})
    await api.kubectl("patch", "isvc/iris", "--type=merge", "-p", patch)
    changed = api.store.get(IRIS)
    assert changed["metadata"]["labels"] == {"app": "x"}
    assert changed["spec"]["predictor"]["minReplicas"] == 3
    patch = json.dumps([{"op": "replace", "path": "/spec/predictor/minReplicas", "value": 2}])
    await api.kubectl("patch", "isvc/iris", "--type=json", "-p", patch)
    assert api.store.get(IRIS)["spec"]["predictor"]["minReplicas"] == 2
    await api.kubectl("label", "isvc", "--all", "app-")
    assert "labels" not in api.store.get(IRIS)["metadata"]
    await api.kubectl("replace", "-f", "-", stdin=SERVICE)
    assert "minReplicas" not in api.store.get(IRIS)["spec"]["predictor"]
    difference = await api.try_kubectl("diff", "-f", "-", stdin=SERVICE.replace("iris\n", "b\n"))
    assert difference[0] == 1
    told = [line for line in difference[1].splitlines() if line[:1] in "+-"]
    assert not [line for line in told if "resourceVersion" in line]


CREATED: list[Any] = [
    (("secret", "generic", "s", "--from-literal=a=b"), "secret/s", {"a": "Yg=="}),
    (("configmap", "c", "--from-literal=a=b"), "configmap/c", {"a": "b"}),
    (("serviceaccount", "sa"), "serviceaccount/sa", None),
    (("namespace", "mine"), "namespace/mine", None),
]


@pytest.mark.parametrize(("what", "name", "data"), CREATED, ids=[row[1] for row in CREATED])
async def test_what_kubectl_makes_itself(
    api: Api, what: tuple[str, ...], name: str, data: Any
) -> None:
    dry = await api.kubectl("create", *what, "--dry-run=server")
    assert dry == f"{name} created (server dry run)\n"
    assert await api.kubectl("create", *what) == f"{name} created\n"
    shown = json.loads(await api.kubectl("get", name, "-o", "json"))
    assert shown.get("data") == data


async def test_a_namespace_takes_along_what_is_in_it(api: Api) -> None:
    await api.kubectl("create", "ns", "mine")
    await api.kubectl("create", "-n", "mine", "-f", "-", stdin=MANIFESTS)
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    await api.kubectl("delete", "ns", "mine")
    assert api.store.list(ISVC, "mine").items == []
    assert api.store.list(CONFIG_MAP, "mine").items == []
    assert api.store.find(IRIS) is not None


@pytest.mark.parametrize("what", ["isvc/iris", "sa/reader"])
async def test_an_editor(api: Api, what: str) -> None:
    await api.kubectl("create", "-f", "-", stdin=MANIFESTS)
    api.environment["KUBE_EDITOR"] = "sed -i 's/^metadata:/metadata:\\n  labels: {by: hand}/'"
    assert "edited" in await api.kubectl("edit", what)
    assert await api.kubectl("get", what, "-o", "jsonpath={.metadata.labels.by}") == "hand"


async def test_to_delete_waits_for_finalizers(api: Api) -> None:
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    finalizers = {"metadata": {"finalizers": ["graphway.dev/busy"]}}
    await api.kubectl("patch", "isvc/iris", "--type=merge", "-p", json.dumps(finalizers))
    deleting = await api.start_kubectl("delete", "isvc/iris")
    await eventually(lambda: "deletionTimestamp" in api.store.get(IRIS)["metadata"])
    await eventually(lambda: api.store.changes.listeners > 0)
    assert deleting.returncode is None
    api.store.edit(IRIS, _without_finalizers)
    out, _ = await deleting.communicate()
    assert (deleting.returncode, api.store.find(IRIS)) == (0, None)
    assert b"deleted" in out


def _without_finalizers(live: Json) -> Json:
    live["metadata"]["finalizers"] = []
    return live


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
async def test_cascades(api: Api, cascade: str) -> None:
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    owner = api.store.get(IRIS)
    reference = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
    reference |= {"name": "iris", "uid": owner["metadata"]["uid"]}
    owned = {"apiVersion": "v1", "kind": "ConfigMap"}
    owned |= {"metadata": {"name": "owned", "ownerReferences": [reference]}}
    api.store.create(CONFIG_MAP, owned)
    await api.kubectl("delete", "isvc/iris", f"--cascade={cascade}")
    left = api.store.find(Ref(CONFIG_MAP, "default", "owned"))
    assert (left is not None) == (cascade == "orphan")


async def test_to_wait_until_it_is_ready(api: Api) -> None:
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    api.store.replace_status(IRIS, ready("False"))
    waiting = await api.start_kubectl("wait", "isvc/iris", "--for=condition=Ready", "--timeout=30s")
    await eventually(lambda: api.store.changes.listeners > 0)
    assert waiting.returncode is None
    api.store.replace_status(IRIS, ready("True"))
    out, _ = await waiting.communicate()
    assert (waiting.returncode, out) == (0, f"{NAMES[0]} condition met\n".encode())


async def test_to_watch(api: Api) -> None:
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    watching = await api.start_kubectl("get", "isvc", "-w", "--no-headers")
    assert watching.stdout is not None
    assert (await watching.stdout.readline()).split()[0] == b"iris"
    await eventually(lambda: api.store.changes.listeners > 0)
    api.store.replace_status(IRIS, ready("True"))
    assert b"http://iris" in await watching.stdout.readline()
    watching.terminate()
    await watching.communicate()


async def test_logs_of_a_pod(api: Api) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "iris-predictor-0", "labels": {"component": "predictor"}},
        "spec": {"containers": [{"name": "kserve-container"}]},
    }
    api.store.create(POD, pod)
    said = await api.kubectl("logs", "iris-predictor-0", "--tail=7")
    assert said.startswith("iris-predictor-0 None kserve-container 7")
    assert "second line" in await api.kubectl("logs", "-l", "component=predictor", "-f")
    listed = await api.kubectl("get", "pods")
    assert "iris-predictor-0" in listed


async def test_what_is_wrong_is_told_by_field(api: Api) -> None:
    wrong = SERVICE.replace("storageUri", "storageURI")
    code, out = await api.try_kubectl("apply", "-f", "-", stdin=wrong)
    assert code == 1
    assert "spec.predictor.sklearn.storageURI" in out
    code, out = await api.try_kubectl("get", "isvc", "none")
    assert (code, out) == (
        1,
        'Error from server (NotFound): inferenceservices.serving.kserve.io "none" not found\n',
    )


async def test_two_who_edit_at_once(api: Api) -> None:
    """`kubectl replace` with the version that it was read at."""
    await api.kubectl("create", "-f", "-", stdin=SERVICE)
    read = await api.kubectl("get", "isvc/iris", "-o", "json")
    await api.kubectl("label", "isvc/iris", "a=b")
    code, out = await api.try_kubectl("replace", "-f", "-", stdin=read)
    assert code == 1
    assert "the object has been modified" in out


async def test_a_token(tmp_path: Path) -> None:
    async with running(tmp_path, token="secret") as api:
        plain = api.url
        api.url = plain.replace("://", "://me:secret@")
        assert "No resources" in await api.kubectl("get", "isvc")
        api.url = plain.replace("://", "://me:wrong@")
        code, out = await api.try_kubectl("get", "isvc")
        assert code == 1
        assert "logged in" in out


async def test_many_at_once(api: Api) -> None:
    async with asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(
                api.kubectl("create", "cm", f"c{number}", f"--from-literal=n={number}")
            )
    assert len(api.store.list(CONFIG_MAP).items) == 8
