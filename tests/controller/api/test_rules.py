"""What the store holds beside an object decides with: other runtimes, caches, settings."""

from collections import Counter
from typing import Any

from controller.api.rules import Rules
from controller.resources.kinds import Kind, by_name
from controller.store.refs import Json, Ref
from controller.store.store import Store
from tests.controller.api.kit import CONFIGS, IRIS, SERVICES, Api, config, iris

RUNTIMES = "/apis/serving.kserve.io/v1alpha1/namespaces/default/servingruntimes"
CLUSTER = "/apis/serving.kserve.io/v1alpha1"


def runtime(name: str) -> Json:
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": name},
        "spec": {
            "protocolVersions": ["v2"],
            "supportedModelFormats": [{"name": "sklearn", "autoSelect": True, "priority": 1}],
            "containers": [{"name": "kserve-container", "image": "x"}],
        },
    }


async def test_two_runtimes_of_one_format_and_priority(api: Api) -> None:
    made = await api.ok("POST", RUNTIMES, json=runtime("a"))
    status, body = await api.call("POST", RUNTIMES, json=runtime("b"))
    assert (status, body["reason"]) == (422, "Invalid")
    assert "a" in body["message"]
    await api.ok("PUT", f"{RUNTIMES}/a", json=made)  # nobody is his own rival


async def cached(api: Api) -> Json:
    head = {"apiVersion": "serving.kserve.io/v1alpha1"}
    claims = {"persistentVolumeSpec": {}, "persistentVolumeClaimSpec": {}}
    group = head | {"kind": "LocalModelNodeGroup", "metadata": {"name": "g"}}
    group |= {"spec": {"storageLimit": "1Gi"} | claims}
    await api.ok("POST", f"{CLUSTER}/localmodelnodegroups", json=group)
    cache = head | {"kind": "LocalModelCache", "metadata": {"name": "c"}}
    spec = {"sourceModelUri": "s3://models/iris", "modelSize": "1Gi", "nodeGroups": ["g"]}
    return await api.ok("POST", f"{CLUSTER}/localmodelcaches", json=cache | {"spec": spec})


async def test_what_must_not_change(api: Api) -> None:
    cache = await cached(api)
    cache["spec"]["sourceModelUri"] = "s3://other"
    refused = await api.refused("PUT", f"{CLUSTER}/localmodelcaches/c", json=cache)
    assert refused == (422, "Invalid")


async def test_a_cache_that_somebody_uses_stays(api: Api) -> None:
    await cached(api)
    await api.ok("POST", SERVICES, json=iris())
    path = f"{CLUSTER}/localmodelcaches/c"
    status, body = await api.call("DELETE", path)
    assert (status, body["reason"]) == (403, "Forbidden")
    assert "InferenceService default/iris uses it" in body["message"]
    await api.ok("DELETE", IRIS)
    await api.ok("DELETE", path)


async def test_a_cache_that_binds_nobody_may_go(api: Api) -> None:
    await cached(api)
    await api.ok("POST", SERVICES, json=iris())
    settings = '{"enabled": false, "jobNamespace": "j", "defaultJobImage": "i"}'
    await api.ok("POST", CONFIGS, json=config("inferenceservice-config", localModel=settings))
    await api.ok("DELETE", f"{CLUSTER}/localmodelcaches/c")


async def test_a_service_is_kept_as_it_was_written(api: Api) -> None:
    made = await api.ok("POST", SERVICES, json=iris())
    assert made["spec"] == iris()["spec"]
    assert "annotations" not in made["metadata"]


async def test_settings_that_cannot_be_read_are_refused(api: Api) -> None:
    settings = config("inferenceservice-config", deploy="{")
    assert await api.refused("POST", CONFIGS, json=settings) == (422, "Invalid")
    settings = config("inferenceservice-config", deploy='{"defaultDeploymentMode": "Standard"}')
    await api.ok("POST", CONFIGS, json=settings)


async def test_one_that_goes_is_not_kept_by_what_it_says(api: Api) -> None:
    kind = by_name("isvc")
    assert kind is not None
    wrong = iris(finalizers=["busy"]) | {"spec": {"once": "right"}}
    api.store.create(kind, wrong)
    await api.ok("DELETE", IRIS)
    patch = {"metadata": {"finalizers": None}}
    status, _ = await api.patch(IRIS, "merge-patch+json", {"spec": {"x": 1}} | patch)
    assert status == 422
    status, _ = await api.patch(IRIS, "merge-patch+json", patch)
    assert status == 200
    assert api.store.find(Ref(kind, "default", "iris")) is None


async def test_however_many_there_are_each_is_read_once(api: Api) -> None:
    """To add one to a thousand took 13 s when the settings were looked up for each, and nobody
    else was answered meanwhile.
    """
    kind = by_name("servingruntime")
    assert kind is not None
    with api.store.transaction():
        for number in range(50):
            api.store.create(kind, of_its_own(f"r{number}"))
    counting = _Counting(api.store)
    assert not Rules(counting).admit(of_its_own("new"), None)  # type: ignore[arg-type]
    assert set(counting.lists.values()) == {1}


def of_its_own(name: str) -> Json:
    """A runtime of a format that no other has."""
    made = runtime(name)
    made["metadata"]["namespace"] = "default"
    made["spec"]["supportedModelFormats"][0]["name"] = name
    return made


class _Counting:
    """A store that counts how often each kind was listed."""

    def __init__(self, store: Store) -> None:
        self.kinds = store.kinds
        self.lists: Counter[str] = Counter()
        self._store = store

    def list(self, kind: Kind, *given: Any, **named: Any) -> Any:
        self.lists[kind.name] += 1
        return self._store.list(kind, *given, **named)
