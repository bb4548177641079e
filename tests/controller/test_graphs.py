"""Whether a graph is Ready where the services that it names are not kept here."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from controller.graphs import Graphs, Served
from controller.store.own_kinds import ALL_KINDS
from controller.store.recorder import Recorder
from controller.store.refs import Ref
from controller.store.store import Store
from controller.view import GRAPH
from graph.compiler import revision
from graph.spec import GraphSpec

SPEC: dict[str, Any] = {
    "nodes": {"root": {"routerType": "Sequence", "steps": [{"name": "s", "serviceName": "iris"}]}}
}
MANIFEST: dict[str, Any] = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "InferenceGraph",
    "metadata": {"name": "g", "namespace": "default"},
    "spec": SPEC,
}


@pytest.mark.parametrize(
    ("elsewhere", "status"),
    [
        pytest.param((), "False", id="nobody knows the service"),
        pytest.param(("another",), "False", id="another one is known"),
        pytest.param(("iris",), "True", id="its address was given by name"),
        pytest.param(("default/iris",), "True", id="its address was given by namespace and name"),
        pytest.param(("prod/iris",), "False", id="one of that name in another namespace"),
    ],
)
def test_a_service_that_is_not_kept_here(
    elsewhere: Collection[str], status: str, tmp_path: Path
) -> None:
    store = Store(tmp_path / "state.db", ALL_KINDS)
    store.create(GRAPH, MANIFEST)
    served = Served("http://here/graphs/default/g", revision(GraphSpec.model_validate(SPEC)))
    graphs = Graphs(store, Recorder(store), lambda _: served, lambda: 0.0, elsewhere)
    graphs.reconcile("default/g")
    said = store.get(Ref(GRAPH, "default", "g"))["status"]["conditions"]
    assert [told["status"] for told in said if told["type"] == "Ready"] == [status]
    store.close()
