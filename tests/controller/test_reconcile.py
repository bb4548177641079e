"""Reconciling, row by row: what a service is and what runs of it, what is done, what is told; and
each row once more, where nothing is done and nothing is written.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.desired import World
from controller.endpoints import Endpoint
from controller.local.plan import HERE
from controller.observe import Phase
from controller.reconcile import Around, Services
from controller.scale import FIXED, Scale
from controller.store.metadata import is_going
from controller.store.own_kinds import ALL_KINDS
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.view import SERVICE, View
from controller.workload import Role
from tests.controller.manifests import service
from tests.controller.running import apply_manifests
from tests.controller.scripted import Scripted

KEY = "default/iris"
ONE = service("containers: [{command: [run]}]")
OTHER = service("containers: [{command: [walk]}]")
MANY = service("minReplicas: 2\ncontainers: [{command: [run]}]")
IMAGE = service("model: {modelFormat: {name: nobodys}, storageUri: s3://b/m}")
RUN = "{containers: [{command: [run]}]}"
BEHIND = service(f"spec:\n  predictor: {RUN}\n  transformer: {RUN}")
SCALED = service(f"spec:\n  predictor: {{minReplicas: 2, {RUN[1:]}\n  transformer: {RUN}")
CHANGED = SCALED.replace("run", "walk", 1)
ALONE = service(f"spec:\n  predictor: {RUN}")


class Stage:
    """One service, its backend, and what callers were told."""

    def __init__(self, folder: Path, scale: Scale = FIXED) -> None:
        self.now = 1_700_000_000.0
        self.again_s: float | None = None  # said by the last look
        self.store = Store(folder / "state.db", ALL_KINDS)
        self.backend = Scripted()
        self.endpoints: dict[str, Endpoint | None] = {}
        self._services = Services(
            Around(
                self.store,
                Recorder(self.store),
                View(self.store, [], folder),
                self.backend,
                World(terms=HERE, needs_host=True),
                self.endpoints.__setitem__,
                lambda key: f"http://router/services/{key}",
                lambda: self.now,
                scale,
                10,
            )
        )

    def act(self, word: str) -> None:
        predictor, transformer = Role.PREDICTOR, Role.TRANSFORMER
        match word:
            case (
                "one"
                | "other"
                | "many"
                | "nobody serves it"
                | "behind"
                | "alone"
                | "scaled"
                | "changed"
            ):
                apply_manifests(self.store, TEXTS[word])
            case "stop" | "resume":
                self._annotate("true" if word == "stop" else "false")
            case "delete":
                self.store.delete(Ref(SERVICE, "default", "iris"))
            case "ended":
                self.backend.gone()
            case "predictor ready":
                self.backend.becomes(predictor, Phase.READY)
            case "predictor away":
                self.backend.becomes(predictor, Phase.NOT_READY, "Unready")
            case "predictor loads":
                self.backend.becomes(predictor, Phase.LOADING, "Loading")
            case "predictor waits for a GPU":
                self.backend.becomes(predictor, Phase.PENDING, "InsufficientGPU")
            case "predictor loops":
                self.backend.becomes(predictor, Phase.FAILED, "CrashLoopBackOff")
            case "transformer ready":
                self.backend.becomes(transformer, Phase.READY)
            case _:
                raise AssertionError(word)

    def look(self) -> list[str]:
        """What was done."""
        before = len(self.backend.calls)
        self.again_s = self._services.reconcile(KEY)
        return self.backend.calls[before:]

    @property
    def live(self) -> Json | None:
        return self.store.find(Ref(SERVICE, "default", "iris"))

    def told(self) -> dict[str, str]:
        if self.live is None:
            return {"there": "no"}
        conditions = self.live.get("status", {}).get("conditions", ())
        found = {c["type"]: c["status"] + _reason(c) for c in conditions}
        if is_going(self.live):
            found = {"there": "going"}
        found["called"] = "-" if self.endpoints.get(KEY) is None else str(self.addresses(KEY))
        return found

    def addresses(self, key: str) -> int:
        endpoint = self.endpoints.get(key)
        return len({*endpoint.addresses}) if endpoint is not None else 0

    def _annotate(self, value: str) -> None:
        def changed(live: Json) -> Json:
            metadata = live["metadata"]
            annotations = (metadata.get("annotations") or {}) | {"serving.kserve.io/stop": value}
            return live | {"metadata": metadata | {"annotations": annotations}}

        self.store.edit(Ref(SERVICE, "default", "iris"), changed)


TEXTS = {
    "one": ONE,
    "other": OTHER,
    "many": MANY,
    "nobody serves it": IMAGE,
    "behind": BEHIND,
    "alone": ALONE,
    "scaled": SCALED,
    "changed": CHANGED,
}


def _reason(condition: Json) -> str:
    return f" {condition['reason']}" if condition.get("reason") else ""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.store.close()


READY = ["one", "predictor ready"]
BOTH = ["behind", "predictor ready", "transformer ready"]
STOPPED = [*READY, "stop", "ended"]

# What has happened, the last of it just now; what is done; what is told (of many things, these).
Row = tuple[list[str], list[str], dict[str, str]]
ROWS: dict[str, Row] = {
    "it is new": (
        ["one"],
        ["apply predictor"],
        {"Ready": "False Starting", "called": "0"},
    ),
    "its model is on its way": (["one", "predictor loads"], [], {"Ready": "False Loading"}),
    "it waits for a GPU": (
        ["one", "predictor waits for a GPU"],
        [],
        {"PredictorReady": "False InsufficientGPU", "called": "0"},
    ),
    "it is ready": (READY, [], {"Ready": "True", "IngressReady": "True", "called": "1"}),
    "it is ready no more": (
        [*READY, "predictor away"],
        [],
        {"Ready": "False Unready", "called": "0"},
    ),
    "it is ready again": ([*READY, "predictor away", "predictor ready"], [], {"Ready": "True"}),
    "it ends again and again": (
        ["one", "predictor loops"],
        [],
        {"PredictorReady": "False CrashLoopBackOff", "called": "0"},
    ),
    "more of it": ([*READY, "many"], ["apply predictor"], {"Ready": "True"}),
    "it becomes another one": ([*READY, "other"], ["apply predictor"], {"called": "1"}),
    "the other one is ready": (
        [*READY, "other", "predictor ready"],
        ["end predictor"],
        {"Ready": "True", "called": "1"},
    ),
    "the one before has ended": (
        [*READY, "other", "predictor ready", "ended"],
        [],
        {"Ready": "True", "called": "1"},
    ),
    "the other one fails: the one before serves": (
        [*READY, "other", "predictor loops"],
        [],
        {"called": "1"},
    ),
    "nobody serves what it becomes: what runs runs on": (
        [*READY, "nobody serves it"],
        [],
        {"called": "1"},
    ),
    "nobody serves it at all": (
        ["nobody serves it"],
        [],
        {"PredictorReady": "False NoSupportingRuntime", "called": "-"},
    ),
    "a transformer waits for its predictor": (
        ["behind"],
        ["apply predictor"],
        {"TransformerReady": "False NotCreated", "Ready": "False Starting"},
    ),
    "the predictor has an address: the transformer starts": (
        ["behind", "predictor ready"],
        ["apply transformer"],
        {"PredictorReady": "True", "called": "0"},
    ),
    "both are ready": (BOTH, [], {"Ready": "True", "TransformerReady": "True", "called": "1"}),
    "the predictor behind a transformer is away": (
        [*BOTH, "predictor away"],
        [],
        {"PredictorReady": "False Unready", "called": "0"},
    ),
    "it is stopped": ([*READY, "stop"], ["end predictor"], {"Stopped": "False", "called": "0"}),
    "it has stopped": (STOPPED, [], {"Stopped": "True", "Ready": "False Stopped"}),
    "it goes on": ([*STOPPED, "resume"], ["apply predictor"], {"Stopped": "False"}),
    "it is deleted": ([*READY, "delete"], ["end predictor"], {"there": "going", "called": "0"}),
    "it has ended, and goes": ([*READY, "delete", "ended"], [], {"there": "no"}),
    "deleted with a transformer: who calls ends first": (
        [*BOTH, "delete"],
        ["end transformer"],
        {"there": "going", "called": "0"},
    ),
    "the transformer has ended: the predictor ends": (
        [*BOTH, "delete", "ended"],
        ["end predictor"],
        {"there": "going"},
    ),
    "both have ended": ([*BOTH, "delete", "ended", "ended"], [], {"there": "no"}),
}


@pytest.mark.parametrize(("story", "done", "told"), ROWS.values(), ids=ROWS)
def test_a_row(stage: Stage, story: list[str], done: list[str], told: dict[str, str]) -> None:
    for word in story[:-1]:
        stage.act(word)
        while stage.look():
            pass
    stage.act(story[-1])
    assert stage.look() == done
    found = stage.told()
    assert {key: found.get(key, "") for key in told} == told
    settle(stage)


def settle(stage: Stage) -> None:
    """Once more, nothing is done and nothing is written."""
    assert stage.look() == []  # what was done before may be told now
    version, endpoints = stage.store.version, dict(stage.endpoints)
    assert stage.look() == []
    assert (stage.store.version, stage.endpoints) == (version, endpoints)


ENDS = {
    "a new one takes over": ["changed", "predictor ready", "transformer ready"],
    "it is deleted": ["delete"],
    "it is stopped": ["stop"],
}


@pytest.mark.parametrize("story", ENDS.values(), ids=ENDS)
def test_a_predictor_is_there_until_the_transformer_before_it_has_ended(
    stage: Stage, story: list[str]
) -> None:
    """Calls that the transformer works on still lead to it, through the router."""
    for word in ("scaled", "predictor ready", "transformer ready", *story):
        stage.act(word)
        done = stage.look()
    assert done == ["end transformer"]
    inner = f"{KEY}.predictor-00001"
    assert stage.addresses(inner) == 1
    stage.act("ended")
    assert stage.look() == ["end predictor"]
    assert stage.addresses(inner) == 0
    stage.act("ended")
    stage.look()
    assert stage.endpoints[inner] is None


def test_who_forgets_everything_comes_to_the_same(tmp_path: Path) -> None:
    """A restart: the same manifests, nothing runs, and what was told is history."""
    first = Stage(tmp_path)
    for word in READY:
        first.act(word)
        first.look()
    first.store.close()
    again = Stage(tmp_path)
    assert again.look() == ["apply predictor"]
    assert again.told()["called"] == "0"
    again.act("predictor ready")
    assert again.look() == []
    assert again.told()["Ready"] == "True"
    settle(again)
    again.store.close()
