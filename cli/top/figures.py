"""The router's counters at one moment, read from the text of its `/metrics`, and what they say of
the time between two moments. Pure.

Counters only grow; one that is smaller than before is that of a router that has started anew, and
counts from zero.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from router.loads import is_error
from router.series import SERVICE_DURATION, SERVICE_HELD, SERVICE_IN_FLIGHT, SERVICE_REQUESTS

GRAPH_IN_FLIGHT = "graphway_requests_in_flight"
GRAPH_REQUESTS = "graphway_requests_total"
GRAPH_DURATION = "graphway_request_duration_seconds"

_KEPT = ("graphway_requests_", "graphway_request_duration_", "graphway_service_")
_TYPE, _HELP = "# TYPE ", "# HELP "


class Of(NamedTuple):
    """Who is counted: a graph, or a revision of a service; by `namespace/name`."""

    graph: str = ""
    service: str = ""
    revision: str = ""


@dataclass(slots=True)
class Figures:
    requests: float = 0
    errors: float = 0
    in_flight: float = 0
    held: float = 0
    buckets: dict[float, float] = field(default_factory=dict)  # requests up to so many seconds

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.requests + other.requests,
            self.errors + other.errors,
            self.in_flight + other.in_flight,
            self.held + other.held,
            {
                edge: self.buckets.get(edge, 0) + other.buckets.get(edge, 0)
                for edge in (*self.buckets, *other.buckets)
            },
        )


@dataclass(frozen=True, slots=True)
class Sample:
    at: float  # seconds of a clock that only goes forward
    figures: Mapping[Of, Figures]


@dataclass(frozen=True, slots=True)
class Pace:
    """Of the time between two samples, and of its end. None: there is nothing to tell that by."""

    rate: float | None = None  # requests per second
    errors: float | None = None  # their part of the requests
    p50_s: float | None = None
    p99_s: float | None = None
    in_flight: int = 0
    held: int = 0


def read(lines: Iterable[str], at: float) -> Sample:
    figures: dict[Of, Figures] = {}
    for family in text_string_to_metric_families("\n".join(_ours(lines)) + "\n"):
        for name, labels, value, *_ in family.samples:
            known = Of(
                labels.get("graph", ""), labels.get("service", ""), labels.get("revision", "")
            )
            one = figures.setdefault(known, Figures())
            match name:
                case _ if name in (GRAPH_REQUESTS, SERVICE_REQUESTS):
                    one.requests += value
                    one.errors += value if is_error(labels["code"]) else 0
                case _ if name in (f"{GRAPH_DURATION}_bucket", f"{SERVICE_DURATION}_bucket"):
                    one.buckets[float(labels["le"])] = value
                case _ if name in (GRAPH_IN_FLIGHT, SERVICE_IN_FLIGHT):
                    one.in_flight += value
                case _ if name == SERVICE_HELD:
                    one.held += value
    return Sample(at, figures)


def pace(before: Figures | None, after: Figures, seconds: float) -> Pace:
    """`before`: empty for who was not there yet; None if there is no sample before."""
    now = Pace(in_flight=round(after.in_flight), held=round(after.held))
    if before is None or seconds <= 0:
        return now
    grown = _grown(before, after)
    return Pace(
        grown.requests / seconds,
        grown.errors / grown.requests if grown.requests else None,
        quantile(grown.buckets, 0.5),
        quantile(grown.buckets, 0.99),
        now.in_flight,
        now.held,
    )


def quantile(buckets: Mapping[float, float], part: float) -> float | None:
    """As Prometheus' histogram_quantile: within a bucket, as if all were evenly spread."""
    edges = sorted(buckets)
    total = buckets[edges[-1]] if edges else 0
    if total <= 0:
        return None
    rank, lower, below = part * total, 0.0, 0.0
    for edge in edges:
        if buckets[edge] >= rank:
            if edge == float("inf"):
                return lower  # of longer ones nothing is known
            return lower + (edge - lower) * (rank - below) / (buckets[edge] - below)
        lower, below = edge, buckets[edge]
    return lower


def _grown(before: Figures, after: Figures) -> Figures:
    if after.requests < before.requests:
        return after
    return Figures(
        after.requests - before.requests,
        max(0, after.errors - before.errors),
        buckets={e: max(0, n - before.buckets.get(e, 0)) for e, n in after.buckets.items()},
    )


def _ours(lines: Iterable[str]) -> Iterator[str]:
    """Parsing takes its time, and most lines are about something else."""
    for line in lines:
        if line.removeprefix(_TYPE).startswith(_KEPT) and not line.startswith(_HELP):
            yield line.rstrip("\n")
