"""Answers to a probe, counted as the kubelet counts them."""

import pytest

from controller.local.replica import HttpGet, Probe
from controller.local.tally import EAGER_S, Tally, tally


def counted(probe: Probe, answers: str) -> str:
    """One answer a period (`+`, `-`) -> the verdict after each (`?`, `+`, `-`)."""
    counting = tally(probe, 0.0, 0.0, eager=False)
    verdicts = ""
    for answer in answers:
        now = counting.next_at
        counting = counting.asked(now).answered(answer == "+", now)
        verdicts += {None: "?", True: "+", False: "-"}[counting.verdict]
    return verdicts


PROBES = {
    "one success is enough": (1, 3, "-+", "?+"),
    "as many failures in a row as asked for": (1, 3, "+--+---+", "++++++-+"),
    "as many successes in a row as asked for": (2, 1, "+-++", "?--+"),
    "at the first failure": (1, 1, "+-+-", "+-+-"),
}


@pytest.mark.parametrize(
    ("successes", "failures", "answers", "verdicts"), PROBES.values(), ids=PROBES
)
def test_verdicts(successes: int, failures: int, answers: str, verdicts: str) -> None:
    probe = Probe(HttpGet(1), successes=successes, failures=failures)
    assert counted(probe, answers) == verdicts


def test_it_is_not_asked_before_its_delay_counted_from_the_start() -> None:
    probe = Probe(HttpGet(1), initial_delay_s=30)
    assert tally(probe, 100.0, 100.0, eager=True).next_at == 130
    assert tally(probe, 100.0, 145.0, eager=True).next_at == 145


def answered(counting: Tally, good: bool, asked: float, took_s: float = 0.0) -> Tally:
    return counting.asked(asked).answered(good, asked + took_s)


def test_it_is_asked_once_a_period_however_long_an_answer_takes() -> None:
    counting = tally(Probe(HttpGet(1), period_s=10), 0.0, 0.0, eager=False)
    assert answered(counting, True, 0.0, took_s=3.0).next_at == 10
    assert answered(counting, True, 0.0, took_s=12.0).next_at == 12


def test_until_the_first_success_somebody_waits_and_it_is_asked_more_often() -> None:
    counting = tally(Probe(HttpGet(1), period_s=10), 0.0, 0.0, eager=True)
    counting = answered(counting, False, 0.0)
    assert counting.next_at == EAGER_S
    assert answered(counting, False, 9.5).next_at == 10  # when its failures count again
    counting = answered(counting, False, 20.0)
    assert counting.next_at == 22
    counting = answered(counting, True, 22.0)
    assert counting.next_at == 32
    assert answered(counting, False, 32.0).next_at == 42


def test_it_is_never_asked_less_often_than_its_period() -> None:
    counting = tally(Probe(HttpGet(1), period_s=1), 0.0, 0.0, eager=True)
    assert answered(counting, False, 1000.0).next_at == 1001


def test_early_looks_do_not_count_as_failures() -> None:
    counting = tally(Probe(HttpGet(1), period_s=10, failures=2), 0.0, 0.0, eager=True)
    for asked in (0.0, 1.0, 2.0, 9.0):
        counting = answered(counting, False, asked)
        assert counting.verdict is None
    assert answered(counting, False, 10.0).verdict is False
