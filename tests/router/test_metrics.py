"""Rendering for Prometheus: by the table, with names, types and labels that a scraper accepts."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from router import series
from router.counters import Block, Counters, Ledger
from router.metrics import Sample, Snapshot, render

ROOT = Path(__file__).parents[2]


def families(ledger: Ledger, *samples: Sample) -> dict[str, dict[tuple[str, ...], float]]:
    body, content_type = render(Snapshot(ledger.totals(), samples))
    assert content_type.startswith("text/plain")
    return {
        family.name: {
            (s.name.removeprefix(family.name), *s.labels.values()): s.value for s in family.samples
        }
        for family in text_string_to_metric_families(body.decode())
    }


def test_counters_of_several_workers_are_one_series() -> None:
    ledger = Ledger()
    for number, order in ((1, 1), (2, -1)):
        block = Block.create(64 * 1024)
        ledger.open(number, block)
        counters = Counters(block)
        labels = (("graph", "ns/a"), ("code", "200"))[::order]
        counters.values[counters.counter("graphway_requests_total", labels)] += number
    assert families(ledger)["graphway_requests"] == {("_total", "200", "ns/a"): 3.0}


def test_a_histogram_is_cumulative_and_its_count_is_its_last_bucket() -> None:
    ledger = Ledger()
    block = Block.create(64 * 1024)
    ledger.open(1, block)
    histogram = Counters(block).histogram("graphway_request_duration_seconds", (("graph", "ns/a"),))
    for seconds in (0.0002, 0.02, 300.0):
        histogram.observe(seconds)
    rows = families(ledger)["graphway_request_duration_seconds"]
    assert rows["_bucket", "ns/a", "0.00025"] == 1
    assert rows["_bucket", "ns/a", "0.025"] == 2
    assert rows["_bucket", "ns/a", "60.0"] == 2
    assert rows["_bucket", "ns/a", "+Inf"] == rows["_count", "ns/a"] == 3
    assert rows["_sum", "ns/a"] == 300.0202


def test_label_values_may_hold_anything() -> None:
    ledger = Ledger()
    block = Block.create(64 * 1024)
    ledger.open(1, block)
    counters = Counters(block)
    target = 'http://h/"\\\n\u00e9'
    index = counters.counter("graphway_upstream_connections_opened_total", (("target", target),))
    counters.values[index] += 1
    rows = families(ledger)["graphway_upstream_connections_opened"]
    assert rows == {("_total", target): 1.0}


def test_what_the_table_does_not_name_is_left_out() -> None:
    assert families(Ledger(), Sample("graphway_other", 1)).keys() == {
        metric.name.removesuffix("_total") for metric in series.METRICS
    }


def test_openmetrics_for_those_who_ask() -> None:
    body, content_type = render(Snapshot({}, ()), "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_the_documented_metrics_are_the_metrics() -> None:
    text = (ROOT / "docs/metrics.md").read_text()
    for metric in series.METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "-"
        assert f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |" in text
    assert text.count("| `graphway_") == len(series.METRICS)
