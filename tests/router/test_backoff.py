"""The empty place of a dead worker: filled at once after the first death, later and later after."""

import pytest

from router.backoff import LONGEST_S, STABLE_S, backoff, failures_after


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        pytest.param(1, 0.1, id="the first death: nearly at once"),
        pytest.param(2, 0.2, id="each further one doubles"),
        pytest.param(5, 1.6, id="the fifth"),
        pytest.param(7, 6.4, id="the last below the limit"),
        pytest.param(8, LONGEST_S, id="the limit"),
        pytest.param(10_000, LONGEST_S, id="stays at the limit however often"),
    ],
)
def test_backoff(failures: int, seconds: float) -> None:
    assert backoff(failures) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("before", "up_s", "after"),
    [
        pytest.param(0, 0.0, 1, id="first death"),
        pytest.param(3, 1.0, 4, id="died young again"),
        pytest.param(3, STABLE_S, 1, id="was stable: counted anew"),
        pytest.param(3, STABLE_S - 0.1, 4, id="not quite stable"),
    ],
)
def test_deaths_in_a_row(before: int, up_s: float, after: int) -> None:
    assert failures_after(before, up_s) == after
