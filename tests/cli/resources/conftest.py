"""A graphway to talk to, and the command line that does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.commands import app
from controller.store.refs import Json
from tests.kit.api_server import ApiServer, ref

Graphway = Callable[..., Result]


def iris(**metadata: object) -> Json:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris", **metadata},
        "spec": {"predictor": {"sklearn": {"storageUri": "gs://models/iris"}}},
    }


def flowers(**metadata: object) -> Json:
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "flowers", **metadata},
        "spec": {"nodes": {"root": {"routerType": "Sequence", "steps": [{"serviceName": "iris"}]}}},
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path).running() as running:
        yield running


@pytest.fixture
def stocked(server: ApiServer) -> ApiServer:
    """With a service and a graph."""
    for resource in (iris(labels={"team": "botany"}), flowers()):
        word = resource["kind"]
        server.act(lambda store, w=word, r=resource: store.create(ref(w, "x").kind, r))
    return server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("GRAPHWAY_HOME", str(home))
    monkeypatch.delenv("GRAPHWAY_ADMIN_TOKEN", raising=False)
    return home


@pytest.fixture
def graphway(home: Path) -> Graphway:
    """`graphway("get", "isvc")`: what it printed, and how it ended."""

    def run(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=stdin, catch_exceptions=False)

    return run
