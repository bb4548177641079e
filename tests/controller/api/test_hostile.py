"""Every field of some objects replaced by every odd value, by every verb: refused or taken, but
never a bug, and never an object that breaks those who list.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from controller.store.metadata import with_finalizers
from controller.store.refs import Json, Ref
from tests.controller.api.kit import Api, iris

ODD: list[Any] = [None, 7, "", "a\n", [], {}, [3], [{"name": 3}], [{"uid": "u"}], {"a": None}]
METADATA = {
    "name": "iris",
    "namespace": "default",
    "labels": {"a": "b"},
    "annotations": {"a": "b"},
    "finalizers": ["f"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "k", "name": "n", "uid": "u"}],
    "managedFields": [{"manager": "m", "operation": "Apply", "fieldsV1": {"f:spec": {"f:a": {}}}}],
    "uid": "u",
    "resourceVersion": "1",
    "generateName": "g",
}
GRAPH = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "InferenceGraph",
    "spec": {"nodes": {"root": {"routerType": "Sequence", "steps": [{"serviceName": "x"}]}}},
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA=="}, "stringData": {"b": "c"}}
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "secrets": [{"name": "x"}]}
OBJECTS: list[Any] = [
    pytest.param("/apis/serving.kserve.io/v1beta1", "inferenceservices", iris(), id="service"),
    pytest.param("/apis/serving.kserve.io/v1alpha1", "inferencegraphs", GRAPH, id="graph"),
    pytest.param("/api/v1", "secrets", SECRET, id="secret"),
    pytest.param("/api/v1", "serviceaccounts", ACCOUNT, id="service account"),
]


def variants(value: Json) -> Iterator[Json]:
    for path in paths(value):
        for odd in ODD:
            made: Any = copy.deepcopy(value)
            inner = made
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = copy.deepcopy(odd)
            yield made


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize(("group", "plural", "said"), OBJECTS)
async def test_no_field_can_break_it(api: Api, group: str, plural: str, said: Json) -> None:
    path = f"{group}/namespaces/default/{plural}"
    plain = said | {"metadata": {"name": "iris"}}
    table = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    kind = api.store.kinds[_full(group, plural)]
    taken = 0
    for odd in variants(said | {"metadata": METADATA, "status": {"conditions": [{"type": "a"}]}}):
        status, _ = await api.call("POST", path, json=odd)
        assert status < 500, odd
        taken += status == 201
        async with api.session.get(f"{api.url}{path}", headers=table) as response:
            assert response.status == 200, odd
        with api.store.transaction(flush=False):
            for item in api.store.list(kind).items:
                ref = Ref.of(kind, item)
                api.store.edit(ref, lambda live: with_finalizers(live, []))
                api.store.delete(ref)
            api.store.create(kind, plain)
        for form in ("merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"):
            options = {"fieldManager": "me", "dryRun": "All"}
            status, _ = await api.patch(f"{path}/iris", form, odd, **options)
            assert status < 500, (form, odd)
        status, _ = await api.patch(f"{path}/iris/status", "merge-patch+json", odd)
        assert status < 500, odd
        with api.store.transaction(flush=False):
            api.store.delete(Ref(kind, "default", "iris"))
    assert taken > 0


def _full(group: str, plural: str) -> str:
    return plural if group == "/api/v1" else f"{plural}.{group.split('/')[2]}"
