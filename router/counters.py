"""Counters that outlive the worker that counts: one block of shared memory per worker process.

The parent creates the block, the worker inherits its file descriptor and is the only one that
writes; so counting is one addition in memory, without locks or messages, and a `kill -9` loses
nothing that was counted. The parent reads the blocks of the living at any moment, and folds a dead
worker's block into its totals once: counters and histograms are added, gauges (requests in flight)
die with their worker.

A block is a header, a directory of series (name, labels, kind, first slot) and an array of 64-bit
slots. A series enters the directory before its slots are used, and the directory's length is
published last. The file is sparse: only touched pages cost memory. When a block is full, further
series share the overflow slots; counting never fails.
"""

import mmap
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterable
from enum import StrEnum

import msgspec

Labels = tuple[tuple[str, str], ...]

# Seconds; a predictor on the same machine answers in a millisecond, a large language model within a
# minute.
BOUNDS: tuple[float, ...] = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)

_HEADER_BYTES = 64
_DIRECTORY_USED, _SLOTS_USED, _REFUSED, _TICKS = range(4)  # header words
_HISTOGRAM_SLOTS = (
    len(BOUNDS) + 2
)  # one bucket per bound, one beyond the last, the sum in microseconds


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


_WIDTH = {Kind.COUNTER: 1, Kind.GAUGE: 1, Kind.HISTOGRAM: _HISTOGRAM_SLOTS}
_OVERFLOW_SLOTS = _HISTOGRAM_SLOTS  # the first slots of the array, wide enough for any kind


class Series(msgspec.Struct, frozen=True, array_like=True):
    """An entry of the directory."""

    name: str
    labels: Labels
    kind: Kind
    first: int

    @property
    def key(self) -> "SeriesKey":
        return self.name, self.labels, self.kind


SeriesKey = tuple[str, Labels, Kind]


class Block:
    """The shared memory. Its layout follows from its size alone: half directory, half slots."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._map = mmap.mmap(fd, 0)
        view = memoryview(self._map)
        middle = len(view) // 16 * 8
        self.header = view[:_HEADER_BYTES].cast("q")
        self.directory = view[_HEADER_BYTES:middle]
        self.values = view[middle : len(view) // 8 * 8].cast("q")

    @classmethod
    def create(cls, size_bytes: int = 32 * 1024 * 1024) -> "Block":
        """A fresh block; 32 MiB hold two million slots (sparse: unused ones cost nothing)."""
        if hasattr(os, "memfd_create"):
            fd = os.memfd_create("graphway-counters", os.MFD_CLOEXEC)
        else:  # macOS: a file without a name serves as well
            with tempfile.TemporaryFile() as file:
                fd = os.dup(file.fileno())
        os.ftruncate(fd, size_bytes)
        return cls(fd)

    def close(self) -> None:
        self.header.release()
        self.directory.release()
        self.values.release()
        os.close(self.fd)


class Histogram:
    """Times in fixed buckets. Prometheus' count is the sum of the buckets, so the two can never
    disagree.
    """

    __slots__ = ("_first", "_sum", "_values")

    def __init__(self, values: memoryview, first: int) -> None:
        self._values = values
        self._first = first
        self._sum = first + len(BOUNDS) + 1

    def observe(self, seconds: float) -> None:
        values = self._values
        values[self._first + bisect_left(BOUNDS, seconds)] += 1
        values[self._sum] += int(seconds * 1e6)


class Counters:
    """The worker's side. Look a series up once, keep the index, then `values[index] += 1`."""

    def __init__(self, block: Block) -> None:
        self.values = block.values
        self._block = block
        self._series: dict[SeriesKey, int] = {}
        if block.header[_SLOTS_USED] == 0:
            block.header[_SLOTS_USED] = _OVERFLOW_SLOTS

    def counter(self, name: str, labels: Labels = ()) -> int:
        return self._first(name, labels, Kind.COUNTER)

    def gauge(self, name: str, labels: Labels = ()) -> int:
        """Goes up and down; the dead worker's share is forgotten."""
        return self._first(name, labels, Kind.GAUGE)

    def histogram(self, name: str, labels: Labels = ()) -> Histogram:
        return Histogram(self.values, self._first(name, labels, Kind.HISTOGRAM))

    def total(self, name: str) -> int:
        """What all series of this name hold now, whatever their labels (no histogram)."""
        return sum(
            self.values[first] for (series, _, _), first in self._series.items() if series == name
        )

    def tick(self) -> None:
        """A sign of life."""
        self._block.header[_TICKS] += 1

    def _first(self, name: str, labels: Labels, kind: Kind) -> int:
        key = (name, labels, kind)
        first = self._series.get(key)
        if first is None:
            header, directory = self._block.header, self._block.directory
            first = header[_SLOTS_USED]
            record = msgspec.msgpack.encode(Series(name, labels, kind, first))
            at = header[_DIRECTORY_USED]
            end = at + 4 + len(record)
            if end > len(directory) or first + _WIDTH[kind] > len(self.values):
                header[_REFUSED] += 1
                return 0
            directory[at : at + 4] = len(record).to_bytes(4, "little")
            directory[at + 4 : end] = record
            header[_SLOTS_USED] = first + _WIDTH[kind]
            header[_DIRECTORY_USED] = end  # published last: a reader never sees half a record
            self._series[key] = first
        return first


class Reader:
    """The parent's side of one block. The directory only grows, so each record is decoded once."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._read = 0
        self._series: list[Series] = []
        self._by_name: dict[str, list[Series]] = {}  # the same

    def series(self) -> list[Series]:
        directory, used = self._block.directory, self._block.header[_DIRECTORY_USED]
        while self._read < used:
            start = self._read + 4
            end = start + int.from_bytes(directory[self._read : start], "little")
            series = msgspec.msgpack.decode(directory[start:end], type=Series)
            self._series.append(series)
            self._by_name.setdefault(series.name, []).append(series)
            self._read = end
        return self._series

    def named(self, name: str) -> list[Series]:
        """Those of one name only: for who asks several times a second."""
        self.series()
        return self._by_name.get(name, [])

    def first(self, series: Series) -> int:
        """Its only value (no histogram)."""
        return self._block.values[series.first]

    def values(self, series: Series) -> list[int]:
        return self._block.values[series.first : series.first + _WIDTH[series.kind]].tolist()

    @property
    def refused(self) -> int:
        """How often a series found no room."""
        return self._block.header[_REFUSED]

    @property
    def ticks(self) -> int:
        return self._block.header[_TICKS]

    def total(self, name: str) -> int:
        return sum(self.first(series) for series in self.named(name))

    def close(self) -> None:
        self._block.close()


class Ledger:
    """All that was ever counted: the totals of dead workers, and the blocks of living ones."""

    def __init__(self) -> None:
        self._living: dict[int, Reader] = {}
        self._totals: dict[SeriesKey, list[int]] = {}
        self._refused = 0

    def open(self, worker: int, block: Block) -> None:
        """Reads this block too from now on. A number is given once in the life of the parent."""
        self._living[worker] = Reader(block)

    def retire(self, worker: int) -> None:
        """Folds in the block of a worker that has ended (reaped: nobody writes any more) and closes
        it.
        """
        reader = self._living.pop(worker)
        _add(self._totals, reader, without=Kind.GAUGE)
        self._refused += reader.refused
        reader.close()

    def ticks(self, worker: int) -> int:
        """Signs of life of a living worker; the same number twice means that there was none."""
        return self._living[worker].ticks

    def total(self, worker: int, name: str) -> int:
        """What one worker has counted under this name, whatever the labels (no histogram)."""
        return self._living[worker].total(name)

    def named(self, name: str) -> dict[Labels, int]:
        """The totals of one name by their labels (no histogram)."""
        found = {ls: values[0] for (each, ls, _), values in self._totals.items() if each == name}
        for reader in self._living.values():
            for series in reader.named(name):
                found[series.labels] = found.get(series.labels, 0) + reader.first(series)
        return found

    def totals(self) -> dict[SeriesKey, list[int]]:
        totals = {key: list(values) for key, values in self._totals.items()}
        for reader in self._living.values():
            _add(totals, reader)
        return totals

    def refused(self) -> int:
        return self._refused + sum(reader.refused for reader in self._living.values())


def _add(totals: dict[SeriesKey, list[int]], reader: Reader, without: Kind | None = None) -> None:
    for series in reader.series():
        if series.kind is without:
            continue
        values = reader.values(series)
        known = totals.get(series.key)
        totals[series.key] = values if known is None else _sum(known, values)


def _sum(left: Iterable[int], right: Iterable[int]) -> list[int]:
    return [a + b for a, b in zip(left, right, strict=True)]
