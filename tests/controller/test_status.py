"""Status of an InferenceService: what is wanted and what runs -> conditions, modelStatus and
addresses; and told again, it does not change.
"""

import pytest

from controller.conditions import is_true
from controller.observe import Phase
from controller.resources.inferenceservice_status import InferenceServiceStatus
from controller.resources.model import read
from controller.status import Seen, status
from controller.workload import Role
from tests.controller.status_rows import (
    LATER,
    NOW,
    ROWS,
    THEN,
    UP,
    URL,
    Json,
    Row,
    replica,
    runs,
    wanted,
)


def told(row: Row, before: Json, now: float = NOW) -> Json:
    return status(
        Seen(
            row.wanted,
            row.observed,
            2,
            before,
            now,
            row.rollout,
            URL,
            answers=row.url is not None,
            canaries=row.canaries,
            idle=row.idle,
        )
    )


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_is_told(row: Row) -> None:
    said = told(row, row.before)
    conditions = {found["type"]: found for found in said["conditions"]}
    ready = conditions["Ready"]
    assert row.ready in (ready["status"], ready.get("reason"))
    assert [*conditions] == sorted(conditions)
    assert said["observedGeneration"] == 2
    assert said.get("url") == row.url
    for kind, words in row.conditions.items():
        assert words in (conditions[kind]["status"], conditions[kind].get("message"))
    model = said.get("modelStatus")
    if row.model is None:
        assert model is None
    else:
        states = model["states"]
        assert row.model == (
            model["transitionStatus"],
            states["activeModelState"],
            states["targetModelState"],
        )
        assert model.get("lastFailureInfo", {}).get("reason") == row.failure


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_told_again_later_nothing_changes(row: Row) -> None:
    said = told(row, row.before)
    assert told(row, said, NOW + 60) == said


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_it_is_a_status_by_the_schema(row: Row) -> None:
    read(InferenceServiceStatus, told(row, row.before))


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    starting, up = ROWS["it starts"], ROWS["it is ready"]
    first = told(starting, {})
    assert {c["lastTransitionTime"] for c in first["conditions"]} == {THEN}
    second = told(up, first, NOW + 60)
    times = {c["type"]: c["lastTransitionTime"] for c in second["conditions"]}
    assert times == {
        "IngressReady": LATER,
        "PredictorReady": LATER,
        "Ready": LATER,
        "Stopped": THEN,
    }


def test_what_was_wrong_with_a_spec_is_forgotten_once_it_is_right() -> None:
    refused = told(ROWS["nobody serves its format"], {})
    assert "lastFailureInfo" not in told(ROWS["it is ready"], refused)["modelStatus"]
    crashed = told(ROWS["it ends again and again"], {})
    assert told(ROWS["it is ready"], crashed)["modelStatus"]["lastFailureInfo"] == {
        "location": "iris-predictor-0",
        "reason": "ModelLoadFailed",
        "message": "it ended with status 3: no",
        "time": THEN,
        "exitCode": 3,
    }


def test_ready_depends_on_predictor_and_ingress_only() -> None:
    explained = wanted("explainer")
    observed = {
        Role.PREDICTOR: runs(explained.units[0], UP),
        Role.EXPLAINER: runs(explained.units[1], replica(Phase.STARTING)),
    }
    said = status(Seen(explained, observed, 1, {}, NOW))
    assert is_true(said)
    assert not is_true(said, "ExplainerReady")


def test_copies_are_counted() -> None:
    said = told(ROWS["one of two is too few"], {})
    assert said["modelStatus"]["copies"] == {"failedCopies": 1, "totalCopies": 1}


def test_the_latest_share_is_that_of_the_newest_that_became_ready() -> None:
    said = told(ROWS["the newest revision comes while an older one serves"], {})
    assert said["components"]["predictor"]["traffic"] == [
        {"revisionName": "iris-00001", "percent": 100, "latestRevision": True}
    ]


def test_revisions_and_their_shares_are_told_in_knatives_words() -> None:
    said = told(ROWS["the newest revision waits for its first call at 0 percent"], {})
    assert said["components"]["predictor"] == {
        "url": "http://127.0.0.1:0",
        "latestCreatedRevision": "iris-00002",
        "latestReadyRevision": "iris-00002",
        "latestRolledoutRevision": "iris-00001",
        "traffic": [
            {"revisionName": "iris-00002", "percent": 0, "latestRevision": True},
            {"revisionName": "iris-00001", "percent": 100, "tag": "prev"},
        ],
    }
