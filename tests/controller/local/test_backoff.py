"""How long a process that ended stays down."""

import pytest

from controller.local.backoff import Backoff

PAUSES = {
    "the first restart comes at once": (1, 0),
    "then it waits": (2, 10),
    "twice as long each time": (3, 20),
    "and again": (6, 160),
    "up to five minutes": (7, 300),
    "however often it ended": (10_000, 300),
}


@pytest.mark.parametrize(("ends", "seconds"), PAUSES.values(), ids=PAUSES)
def test_pauses(ends: int, seconds: float) -> None:
    assert Backoff().pause_s(ends) == seconds


def test_a_life_that_was_long_enough_begins_a_new_count() -> None:
    assert Backoff().ends(5, up_s=599) == 6
    assert Backoff().ends(5, up_s=600) == 1
