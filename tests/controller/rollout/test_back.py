"""Which revision a rollback means, and what manifest asks for it."""

from typing import Any

import pytest

from controller.resources.inferenceservice import InferenceServiceSpec
from controller.resources.model import dump
from controller.resources.model import read as read_model
from controller.rollout.back import annotations_for, earlier, spec_for
from controller.rollout.decide import Before
from controller.rollout.revision import Revision
from controller.rollout.tracks import predictor


def revision(
    number: int, spec: Any = None, track: str = "", annotations: dict[str, str] | None = None
) -> Revision:
    name, said = f"iris-{number:05d}", spec or {"predictor": {}}
    return Revision(number, name, track, str(number), {}, said, annotations or {}, [])


ONE, TWO, THREE = "iris-00001", "iris-00002", "iris-00003"
KNOWN = [revision(1), revision(2), revision(3)]
CANARY = [revision(1), revision(2, track="blue")]
MEANT = [
    ("the one before the newest", KNOWN, Before(THREE, THREE, THREE, TWO), False, TWO),
    ("not the newest that never had calls", KNOWN, Before(THREE, TWO, TWO, ONE), False, TWO),
    ("a canary of ten percent", KNOWN, Before(THREE, THREE, TWO, ONE), False, TWO),
    ("after a rollback, forward again", KNOWN, Before(TWO, TWO, TWO, THREE), False, THREE),
    ("older by number where nothing is told", KNOWN, Before(THREE, THREE, THREE), False, TWO),
    ("what is no longer kept is passed over", KNOWN[1:], Before(THREE, "", THREE, ONE), False, TWO),
    ("a stopped one tells of none", KNOWN, Before(), False, TWO),
    ("what cannot be had is no revision", KNOWN, Before(THREE, THREE, THREE, TWO), True, THREE),
    ("and nothing ever ran", [], Before(), True, None),
    ("the only one", KNOWN[:1], Before(ONE, ONE, ONE), False, None),
    ("a named canary is none before", CANARY, Before(ONE, ONE, ONE), False, None),
    ("none at all", [], Before(), False, None),
]


@pytest.mark.parametrize(
    ("known", "before", "refused", "name"), [m[1:] for m in MEANT], ids=[m[0] for m in MEANT]
)
def test_which_one_is_meant(
    known: list[Revision], before: Before, refused: bool, name: str | None
) -> None:
    found = earlier(known, before, refused=refused)
    assert (found.name if found is not None else None) == name


MODEL = {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://one"}}
SPECS = [
    ("whole", {"predictor": MODEL}, {"predictor": {"containers": []}}, {"predictor": MODEL}),
    (
        "without its share",
        {"predictor": MODEL | {"canaryTrafficPercent": 10}},
        {"predictor": {}},
        {"predictor": MODEL},
    ),
    (
        "without its canaries",
        {"predictor": MODEL, "canary": [{"trafficPercent": 5, "predictor": {"name": "b"}}]},
        {"predictor": {}},
        {"predictor": MODEL},
    ),
    (
        "scaled as now",
        {"predictor": MODEL | {"minReplicas": 1, "scaleTarget": 3}},
        {"predictor": {"minReplicas": 4, "maxReplicas": 9, "canaryTrafficPercent": 1}},
        {"predictor": MODEL | {"minReplicas": 4, "maxReplicas": 9}},
    ),
    (
        "with the transformer that came since gone",
        {"predictor": MODEL},
        {"predictor": MODEL, "transformer": {"minReplicas": 2}},
        {"predictor": MODEL},
    ),
    (
        "with the one that went since back",
        {"predictor": MODEL, "transformer": {"containers": [{"image": "t"}], "minReplicas": 2}},
        {"predictor": MODEL},
        {"predictor": MODEL, "transformer": {"containers": [{"image": "t"}]}},
    ),
]


@pytest.mark.parametrize(
    ("then", "now", "wanted"), [s[1:] for s in SPECS], ids=[s[0] for s in SPECS]
)
def test_the_specification_that_asks_for_it(then: Any, now: Any, wanted: Any) -> None:
    kept = revision(1, then)
    assert spec_for(kept, now) == wanted
    assert kept.spec == then


def test_a_named_canary_becomes_the_only_one() -> None:
    spec = {
        "predictor": MODEL | {"minReplicas": 3},
        "canary": [
            {"trafficPercent": 5, "predictor": {"name": "red", "timeout": 1}},
            {
                "trafficPercent": 5,
                "predictor": {"name": "blue", "model": {"storageUri": "s3://two"}},
            },
        ],
    }
    found = spec_for(revision(2, spec, "blue"), {"predictor": {"minReplicas": 7}})
    model = {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://two"}
    assert found == {"predictor": {"name": "blue", "model": model, "minReplicas": 7}}
    asked = read_model(InferenceServiceSpec, spec)
    runs = dump(predictor(asked, asked.canary[1]))
    scaling = {"minReplicas": 1, "maxReplicas": 1}
    assert runs == found["predictor"] | scaling  # the same content is the same revision


def test_annotations_that_the_content_depends_on_come_back_and_no_others() -> None:
    then = {"serving.kserve.io/server-type": "x", "serving.kserve.io/stop": "true", "team": "a"}
    now = {"serving.kserve.io/server-type": "y", "serving.kserve.io/new": "", "team": "b"}
    found = annotations_for(revision(1, annotations=then), now)
    assert found == {"serving.kserve.io/server-type": "x", "team": "b"}
