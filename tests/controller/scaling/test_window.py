"""Averages over what was sampled."""

import pytest

from controller.scaling.policy import Metric
from controller.scaling.window import Load, Window

CALLS: dict[str, tuple[dict[float, int], Load | None]] = {
    # at -> calls in flight; then asked at 10.0 with windows of 6 and 2 s
    "nothing before a second is over": ({10.0: 5}, None),
    "the mean of the samples of a second": ({9.0: 2, 9.5: 4}, Load(3.0, 3.0, True)),
    "seconds count alike, however often they were sampled": (
        {8.0: 2, 9.0: 0, 9.25: 0, 9.5: 0},
        Load(1.0, 1.0, True),
    ),
    "the second that is not over does not count": ({9.0: 2, 10.0: 50}, Load(2.0, 2.0, True)),
    "but somebody called in it": ({9.0: 0, 10.0: 1}, Load(0.0, 0.0, True)),
    "what is older than the stable window is forgotten": ({3.0: 9, 9.0: 0}, Load(0.0, 0.0, False)),
    "the panic window is the end of the stable one": (
        {4.0: 0, 5.0: 0, 6.0: 0, 7.0: 0, 8.0: 6, 9.0: 6},
        Load(2.0, 6.0, True),
    ),
    "a second without samples is no second without load": (
        {4.0: 6, 9.0: 6},
        Load(6.0, 6.0, True),
    ),
}


@pytest.mark.parametrize(("samples", "load"), CALLS.values(), ids=CALLS)
def test_concurrency(samples: dict[float, int], load: Load | None) -> None:
    window = Window(6)
    for at, calls in samples.items():
        window.sample(at, calls, 0)
    assert window.load(Metric.CONCURRENCY, 6, 2, 10.0) == load


REQUESTS: dict[str, tuple[dict[float, int], Load]] = {
    "what came before the first look does not count": ({8.0: 1000, 9.0: 1000}, Load(0, 0, False)),
    "what came within a second": ({8.0: 10, 8.5: 14, 9.0: 20}, Load(5.0, 5.0, True)),
    "a counter that begins anew": ({8.0: 10, 8.5: 14, 9.0: 2}, Load(3.0, 3.0, True)),
}


@pytest.mark.parametrize(("samples", "load"), REQUESTS.values(), ids=REQUESTS)
def test_requests_per_second(samples: dict[float, int], load: Load) -> None:
    window = Window(6)
    for at, requests in samples.items():
        window.sample(at, 0, requests)
    assert window.load(Metric.RPS, 6, 2, 10.0) == load


def test_calls_too_short_to_be_seen_in_flight_keep_a_revision_active() -> None:
    window = Window(6)
    window.sample(8.0, 0, 0)
    window.sample(9.0, 0, 1)
    assert window.load(Metric.CONCURRENCY, 6, 2, 10.0) == Load(0.0, 0.0, True)
