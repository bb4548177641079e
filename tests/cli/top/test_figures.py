"""Text of `/metrics` in, what it says of the time between two looks out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.top.figures import Figures, Of, Pace, Sample, pace, quantile, read
from router.counters import BOUNDS, Kind
from router.metrics import Snapshot, render

IRIS = Of(service="default/iris", revision="iris-00001")
INF = float("inf")


def text(requests: dict[str, int], in_flight: int = 0, held: int = 0) -> list[str]:
    """As the router renders it."""
    of = (("service", IRIS.service), ("revision", IRIS.revision))
    buckets = [0] * (len(BOUNDS) + 2)
    buckets[len(BOUNDS) // 2] = sum(requests.values())
    totals = {
        ("graphway_service_requests_total", (*of, ("code", code)), Kind.COUNTER): [number]
        for code, number in requests.items()
    }
    totals |= {
        ("graphway_service_requests_in_flight", of, Kind.GAUGE): [in_flight],
        ("graphway_service_requests_held", of, Kind.GAUGE): [held],
        ("graphway_service_request_duration_seconds", of, Kind.HISTOGRAM): buckets,
        ("graphway_requests_total", (("graph", "default/g"), ("code", "200")), Kind.COUNTER): [7],
        ("graphway_step_calls_total", (("graph", "default/g"),), Kind.COUNTER): [9],
    }
    return render(Snapshot(totals, []))[0].decode().splitlines(keepends=True)


def test_what_is_counted_is_read_by_graph_and_by_revision() -> None:
    sample = read(text({"200": 3, "503": 2, "cancelled": 4, "refused": 1}, 5, 6), 1.5)
    assert set(sample.figures) == {IRIS, Of(graph="default/g")}
    one = sample.figures[IRIS]
    assert (one.requests, one.errors, one.in_flight, one.held) == (10, 3, 5, 6)
    assert one.buckets[INF] == 10
    assert sample.figures[Of(graph="default/g")].requests == 7


def test_nothing_of_ours_is_nothing() -> None:
    assert read(["# TYPE up gauge\n", "up 1\n"], 0.0) == Sample(0.0, {})


def figures(requests: float, errors: float = 0, **more: float) -> Figures:
    return Figures(requests, errors, buckets={0.1: requests, INF: requests}, **more)


PACES = [
    ("no look before", None, figures(9, 3, in_flight=2, held=1), Pace(in_flight=2, held=1)),
    ("nobody called", figures(9), figures(9), Pace(0.0)),
    ("ten in two seconds, one failed", figures(5), figures(15, 1), Pace(5.0, 0.1, 0.05, 0.099)),
    ("who was not there before", Figures(), figures(4), Pace(2.0, 0.0, 0.05, 0.099)),
    ("a router that started anew", figures(90, 9), figures(4), Pace(2.0, 0.0, 0.05, 0.099)),
]


@pytest.mark.parametrize(
    ("before", "after", "wanted"), [p[1:] for p in PACES], ids=[p[0] for p in PACES]
)
def test_what_went_on_between_two_looks(
    before: Figures | None, after: Figures, wanted: Pace
) -> None:
    assert pace(before, after, 2.0) == wanted


QUANTILES = [
    ("none", {}, 0.5, None),
    ("nobody", {1.0: 0.0, INF: 0.0}, 0.5, None),
    ("within the first bucket", {1.0: 4.0, INF: 4.0}, 0.5, 0.5),
    ("within another", {1.0: 2.0, 3.0: 4.0, INF: 4.0}, 0.75, 2.0),
    ("at an edge", {1.0: 2.0, 3.0: 4.0, INF: 4.0}, 0.5, 1.0),
    ("longer than any bucket", {1.0: 0.0, 3.0: 0.0, INF: 4.0}, 0.5, 3.0),
]


@pytest.mark.parametrize(
    ("buckets", "part", "wanted"), [q[1:] for q in QUANTILES], ids=[q[0] for q in QUANTILES]
)
def test_quantiles(buckets: dict[float, float], part: float, wanted: float | None) -> None:
    assert quantile(buckets, part) == wanted


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
)
def test_a_larger_part_never_takes_less(counts: list[int], one: float, other: float) -> None:
    edges = [*range(1, len(counts)), INF]
    sums = [float(sum(counts[: at + 1])) for at in range(len(counts))]
    buckets = dict(zip(map(float, edges), sums, strict=True))
    low, high = (quantile(buckets, part) for part in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= len(counts) - 1
