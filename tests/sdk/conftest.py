"""A graphway to talk to from Python, whose controller makes everything ready at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graphway import (
    InferenceGraph,
    InferenceGraphSpec,
    InferenceRouter,
    InferenceRouterType,
    InferenceService,
    InferenceServiceSpec,
    InferenceStep,
    ObjectMeta,
    PredictorSpec,
    SKLearnSpec,
)
from tests.kit.api_server import ApiServer, ready


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.delenv("GRAPHWAY_ADMIN_TOKEN", raising=False)
    with ApiServer(tmp_path, on_change=ready).running() as running:
        monkeypatch.setenv("GRAPHWAY_HOME", str(running.home.root))
        yield running


def iris(storage_uri: str = "gs://models/iris") -> InferenceService:
    sklearn = SKLearnSpec(storage_uri=storage_uri)
    return InferenceService(
        metadata=ObjectMeta(name="iris"),
        spec=InferenceServiceSpec(predictor=PredictorSpec(sklearn=sklearn)),
    )


def flowers() -> InferenceGraph:
    root = InferenceRouter(
        router_type=InferenceRouterType.SEQUENCE, steps=(InferenceStep(service_name="iris"),)
    )
    return InferenceGraph(
        metadata=ObjectMeta(name="flowers"), spec=InferenceGraphSpec(nodes={"root": root})
    )
