"""The columns of `graphway top`: how each is called, shown, sorted and written as JSON. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.progress import short
from cli.top.rows import REVISION, Row

Json = dict[str, Any]
Value = float | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """`keep`: who goes last where there is little room."""

    title: str
    value: Callable[[Row], Value]  # to sort by; None is less than anything
    text: Callable[[Row], str]
    keep: int
    left: bool = False  # where its cells stand


def columns(gpus: bool) -> list[Column]:
    return [column for column in _ALL if gpus or column not in _GPU]


def sort_key(column: Column) -> Callable[[Row], Any]:
    """By the column, then by name, so that equal ones stay where they are."""

    def key(row: Row) -> Any:
        value = column.value(row)
        named = (row.namespace, row.name)
        if isinstance(value, str):
            return (value, *named)
        # Small ones last, while names go on from a to z.
        return (float("inf") if value is None else -value, *named)

    return key


def as_json(row: Row) -> Json:
    pace = row.pace
    said: Json = {
        "kind": row.kind,
        "namespace": row.namespace,
        "name": row.name,
        "state": row.state,
        "ready": row.ready,
        "replicas": row.wanted,
        "sharePercent": row.share,
        "requestsPerSecond": pace.rate,
        "errorPart": pace.errors,
        "p50Seconds": pace.p50_s,
        "p99Seconds": pace.p99_s,
        "inFlight": pace.in_flight,
        "held": pace.held,
    }
    if row.gpu is not None:
        said |= {"gpuMemoryBytes": row.gpu.memory_bytes, "gpuPercent": row.gpu.percent}
    if row.below:
        said["revisions"] = [as_json(each) for each in row.below]
    return {name: value for name, value in said.items() if value is not None}


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}us"
    if seconds < 1:
        return f"{three(seconds * 1e3)}ms"
    return f"{three(seconds)}s"


def size(number: float) -> str:
    for unit in ("", "Ki", "Mi", "Gi"):
        if number < 1024:
            return f"{three(number)}{unit}"
        number /= 1024
    return f"{three(number)}Ti"


def three(number: float) -> str:
    """With three digits, if it has as many."""
    if number >= 99.95 or number == round(number):
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def _name(row: Row) -> str:
    if row.kind == REVISION:
        return f"  {row.name}"
    return f"{'graph ' if row.kind == 'graph' else ''}{short(f'{row.namespace}/{row.name}')}"


def _replicas(row: Row) -> str:
    return "" if row.wanted is None else f"{row.ready}/{row.wanted}"


def _rate(row: Row) -> str:
    rate = row.pace.rate
    if rate is None:
        return ""
    return three(rate) if rate < 10_000 else f"{three(rate / 1000)}k"


def _errors(row: Row) -> str:
    part = row.pace.errors
    return "" if part is None else percent(part * 100)


def percent(value: float) -> str:
    return f"{three(value) if value >= 0.005 or not value else '<0.01'}%"


_STATE = Column("STATE", lambda r: r.state, lambda r: r.state, 6, left=True)
_GPU = (
    Column(
        "GPU",
        lambda r: r.gpu.percent if r.gpu else None,
        lambda r: percent(r.gpu.percent) if r.gpu else "",
        1,
    ),
    Column(
        "GPU-MEM",
        lambda r: r.gpu.memory_bytes if r.gpu else None,
        lambda r: size(r.gpu.memory_bytes) if r.gpu else "",
        2,
    ),
)
_ALL = (
    Column("NAME", lambda r: f"{r.namespace}/{r.name}", _name, 99, left=True),
    _STATE,
    Column("READY", lambda r: r.ready, _replicas, 7),
    Column("SHARE", lambda r: r.share, lambda r: "" if r.share is None else f"{r.share}%", 8),
    Column("RATE/S", lambda r: r.pace.rate, _rate, 9),
    Column("ERRORS", lambda r: r.pace.errors, _errors, 5),
    Column("P50", lambda r: r.pace.p50_s, lambda r: duration(r.pace.p50_s), 3),
    Column("P99", lambda r: r.pace.p99_s, lambda r: duration(r.pace.p99_s), 4),
    Column("FLIGHT", lambda r: r.pace.in_flight, lambda r: str(r.pace.in_flight), 3),
    Column("HELD", lambda r: r.pace.held, lambda r: str(r.pace.held or ""), 2),
    *_GPU,
)
