"""Counting in shared memory: exact through any number of workers and deaths, bounded, never an
error.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.counters import BOUNDS, Block, Counters, Kind, Ledger

ROOT = Path(__file__).parents[2]


def figure(ledger: Ledger, name: str, labels: tuple[tuple[str, str], ...] = ()) -> list[int] | None:
    return next(
        (v for (n, ls, _), v in ledger.totals().items() if n == name and ls == labels), None
    )


increments = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 2**40)), max_size=20
)


@given(workers=st.lists(st.tuples(increments, st.booleans()), max_size=5))
def test_totals_are_the_sum_over_workers_dead_or_alive(
    workers: list[tuple[list[tuple[str, int]], bool]],
) -> None:
    ledger = Ledger()
    expected: dict[str, int] = {}
    for number, (steps, dies) in enumerate(workers):
        block = Block.create(64 * 1024)
        ledger.open(number, block)
        counters = Counters(block)
        for graph, amount in steps:
            counters.values[counters.counter("requests_total", (("graph", graph),))] += amount
            expected[graph] = expected.get(graph, 0) + amount
        if dies:
            before = ledger.totals()
            ledger.retire(number)
            assert ledger.totals() == before
    assert {labels[0][1]: v for (_, labels, _), (v,) in ledger.totals().items()} == expected
    for number, (_, dies) in enumerate(workers):
        if not dies:
            ledger.retire(number)


def test_gauges_die_with_their_worker_and_counters_stay() -> None:
    ledger = Ledger()
    block = Block.create(64 * 1024)
    ledger.open(1, block)
    counters = Counters(block)
    counters.values[counters.gauge("requests_in_flight")] += 3
    counters.values[counters.counter("requests_total")] += 7
    assert figure(ledger, "requests_in_flight") == [3]

    ledger.retire(1)

    assert figure(ledger, "requests_in_flight") is None
    assert figure(ledger, "requests_total") == [7]


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [
        pytest.param(0.0, 0, id="nothing lands in the first bucket"),
        pytest.param(0.0001, 0, id="a bound itself belongs to its bucket"),
        pytest.param(0.00011, 1, id="just beyond a bound lands in the next"),
        pytest.param(60.0, len(BOUNDS) - 1, id="a minute is the last bound"),
        pytest.param(3600.0, len(BOUNDS), id="an hour lands beyond the last bound"),
    ],
)
def test_a_time_lands_in_one_bucket_and_in_the_sum(seconds: float, bucket: int) -> None:
    ledger = Ledger()
    block = Block.create(64 * 1024)
    ledger.open(1, block)
    Counters(block).histogram("request_duration_seconds").observe(seconds)

    *buckets, microseconds = figure(ledger, "request_duration_seconds") or []

    assert [i for i, n in enumerate(buckets) if n] == [bucket]
    assert microseconds == int(seconds * 1e6)
    ledger.retire(1)


def test_a_full_block_counts_what_it_refuses_and_keeps_what_it_has() -> None:
    ledger = Ledger()
    block = Block.create(4096)
    ledger.open(1, block)
    counters = Counters(block)
    for number in range(1000):
        index = counters.counter("requests_total", (("graph", f"ns/graph-{number}"),))
        counters.values[index] += 1
        counters.histogram("step_duration_seconds", (("step", str(number)),)).observe(0.5)

    kept = [v for (_, _, kind), v in ledger.totals().items() if kind is Kind.COUNTER]

    assert 0 < len(kept) < 1000
    assert all(v == [1] for v in kept)
    assert ledger.refused() >= 1000
    ledger.retire(1)
    assert ledger.refused() >= 1000


def test_the_same_series_is_the_same_slot() -> None:
    block = Block.create(4096)
    counters = Counters(block)
    assert counters.counter("a", (("x", "1"),)) == counters.counter("a", (("x", "1"),))
    assert counters.counter("a", (("x", "1"),)) != counters.counter("a", (("x", "2"),))
    block.close()


WRITER = """
import sys
from router.counters import Block, Counters
counters = Counters(Block(int(sys.argv[1])))
total = counters.counter("requests_total")
time = counters.histogram("request_duration_seconds")
while True:
    counters.values[total] += 1
    time.observe(0.002)
    print(counters.values[total], flush=True)
"""


def test_kill_9_in_the_middle_of_counting_loses_nothing() -> None:
    block = Block.create(64 * 1024)
    ledger = Ledger()
    ledger.open(1, block)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(block.fd)],
        pass_fds=[block.fd],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(500)]
        os.kill(process.pid, signal.SIGKILL)
        seen += process.stdout.readlines()
        process.wait()

    ledger.retire(1)

    last = int([line for line in seen if line.endswith(b"\n")][-1])
    (counted,) = figure(ledger, "requests_total") or [0]
    *buckets, _ = figure(ledger, "request_duration_seconds") or [0]
    assert counted in (last, last + 1)
    assert sum(buckets) in (counted, counted - 1)


def test_what_one_worker_holds_under_a_name_and_its_signs_of_life() -> None:
    ledger = Ledger()
    for number in (1, 2):
        block = Block.create(64 * 1024)
        ledger.open(number, block)
        counters = Counters(block)
        for graph in ("a", "b"):
            counters.values[counters.gauge("in_flight", (("graph", graph),))] += number
        counters.values[counters.counter("others")] += 100
        assert counters.total("in_flight") == ledger.total(number, "in_flight") == 2 * number
        assert counters.total("unheard_of") == ledger.total(number, "unheard_of") == 0
        for _ in range(number):
            counters.tick()
    assert (ledger.ticks(1), ledger.ticks(2)) == (1, 2)
    ledger.retire(1)
    ledger.retire(2)


def test_one_name_by_its_labels_over_workers_dead_or_alive() -> None:
    ledger = Ledger()
    for number in (1, 2):
        block = Block.create(64 * 1024)
        ledger.open(number, block)
        counters = Counters(block)
        counters.values[counters.counter("calls_total", (("code", "200"),))] += number
        counters.values[counters.gauge("calls_in_flight")] += number
        counters.values[counters.counter("other_total")] += 100
    assert ledger.named("calls_total") == {(("code", "200"),): 3}
    assert ledger.named("calls_in_flight") == {(): 3}
    ledger.retire(1)
    assert ledger.named("calls_total") == {(("code", "200"),): 3}
    assert ledger.named("calls_in_flight") == {(): 2}
    assert ledger.named("nobody_counts") == {}
    ledger.retire(2)
