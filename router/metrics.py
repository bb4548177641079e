"""From numbers to Prometheus' text: the totals of all workers and the parent's own samples, by the
table in `series`.

It renders a snapshot, so it may run beside the loop; it knows neither workers nor files. What the
table does not name is not rendered.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from router import series
from router.counters import BOUNDS, Kind, Labels, SeriesKey

Rows = dict[Labels, Sequence[float]]

_EDGES = [*(repr(bound) for bound in BOUNDS), "+Inf"]


class Sample(NamedTuple):
    """A figure that the parent itself knows."""

    name: str
    value: float
    labels: Labels = ()


class Snapshot(Collector):
    """What was true at one moment, as metric families in the order of the table."""

    def __init__(
        self, totals: Mapping[SeriesKey, Sequence[int]], samples: Iterable[Sample]
    ) -> None:
        self._rows: dict[str, Rows] = {metric.name: {} for metric in series.METRICS}
        for (name, labels, _), values in totals.items():
            self._put(name, labels, values)
        for sample in samples:
            self._put(sample.name, sample.labels, [sample.value])

    def _put(self, name: str, labels: Labels, values: Sequence[float]) -> None:
        rows = self._rows.get(name)
        if rows is not None:
            key = tuple(sorted(labels))  # whoever counted wrote them in any order
            known = rows.get(key)
            rows[key] = (
                values if known is None else [a + b for a, b in zip(known, values, strict=True)]
            )

    def collect(self) -> Iterator[Metric]:
        for metric in series.METRICS:
            yield self._family(metric)

    def _family(self, metric: series.Metric) -> Metric:
        rows = [
            ([dict(key).get(label, "") for label in metric.labels], values)
            for key, values in sorted(self._rows[metric.name].items())
        ]
        if metric.kind is Kind.HISTOGRAM:
            histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, (*buckets, microseconds) in rows:
                pairs = list(zip(_EDGES, accumulate(buckets), strict=True))
                histogram.add_metric(labels, pairs, microseconds / 1e6)
            return histogram
        plain = (CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily)(
            metric.name, metric.help, labels=metric.labels
        )
        for labels, (value,) in rows:
            plain.add_metric(labels, value)
        return plain


def render(snapshot: Snapshot, accept: str = "") -> tuple[bytes, str]:
    """The text and its Content-Type, in the format that the scraper asks for."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(snapshot)
    return encode(registry), content_type
