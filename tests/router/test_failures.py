"""The one table: every kind of failure has a status, in our mode and in KServe's."""

import json

import pytest

from graph.effects import Failure, FailureKind
from router.failures import FAILURES, error, response, status
from router.messages import JSON
from tests.scripts import plan, sequence, step, switch

STATUSES = {
    FailureKind.NO_MATCH: 404,
    FailureKind.NO_ROUTE: 500,
    FailureKind.INVALID_ANSWER: 502,
    FailureKind.NO_QUORUM: 502,
    FailureKind.MAPPING: 422,
    FailureKind.BAD_REQUEST: 400,
    FailureKind.STALLED: 408,
    FailureKind.CIRCLE: 508,
    FailureKind.UNRESOLVED: 503,
    FailureKind.CONNECT: 502,
    FailureKind.RESET: 502,
    FailureKind.PROTOCOL: 502,
    FailureKind.TIMEOUT: 504,
    FailureKind.DEADLINE: 504,
    FailureKind.OVERLOAD: 503,
    FailureKind.INTERNAL: 500,
}
OURS = plan(switch(step("a", condition="x"), step("n", node="inner", condition="y")),
            inner=switch(step("b", condition="z")))  # fmt: skip
KSERVE = plan(switch(step("a", condition="x"), step("n", node="inner", condition="y")),
              inner=switch(step("b", condition="z")), compat=True)  # fmt: skip


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_its_status(kind: FailureKind) -> None:
    assert status(Failure(kind, "why", "test/g/root"), OURS) == STATUSES[kind]
    assert status(Failure(kind, "why"), None) == STATUSES[kind]


@pytest.mark.parametrize("kind", FailureKind)
def test_kserve_answers_500_but_for_the_root_switch(kind: FailureKind) -> None:
    expected = 404 if kind is FailureKind.NO_MATCH else 500
    assert status(Failure(kind, "why", "test/g/root"), KSERVE) == expected
    assert status(Failure(kind, "why", "test/g/inner"), KSERVE) == 500
    assert status(Failure(kind, "why", "test/g/root/a"), KSERVE) == 500


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_a_level_of_its_line(kind: FailureKind) -> None:
    """Faults of the caller are no news, faults of ours are."""
    level = FAILURES[kind].level
    status = STATUSES[kind]
    assert level == ("info" if status < 500 else "error" if status == 500 else "warning")


def test_the_body_has_kserves_two_keys() -> None:
    answer = response(Failure(FailureKind.CONNECT, 'no "way"\n'), OURS)
    assert answer.status == 502
    assert answer.headers == JSON
    assert json.loads(answer.body) == {"error": "Failed to process request", "cause": 'no "way"\n'}
    assert not answer.close


def test_the_routers_own_errors_have_the_same_shape() -> None:
    answer = error(413, "too much", close=True)
    assert (answer.status, answer.headers, answer.close) == (413, JSON, True)
    assert answer.body == b'{"error":"Failed to process request","cause":"too much"}'


def test_a_sequence_as_root_has_no_404_in_kserves_mode() -> None:
    compiled = plan(sequence(step("a", condition="x")), compat=True)
    failure = Failure(FailureKind.INVALID_ANSWER, "invalid response", "test/g/root/a")
    assert status(failure, compiled) == 500
