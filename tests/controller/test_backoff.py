"""How long a service that ended stays down."""

import pytest

from controller.local.backoff import LONGEST_S, STABLE_S, failures_after, pause


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, LONGEST_S), (10_000, LONGEST_S)]
)
def test_pause_doubles_up_to_a_limit(failures: int, seconds: float) -> None:
    assert pause(failures) == seconds


def test_a_life_that_was_long_enough_begins_a_new_count() -> None:
    assert failures_after(5, up_s=STABLE_S - 1) == 6
    assert failures_after(5, up_s=STABLE_S) == 1
