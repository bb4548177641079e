"""Objects as the rows that kubectl prints: meta/v1 Table, from the columns of a kind."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from controller.api.jsonpath import compile_path
from controller.resources.kinds import Column, Kind
from controller.store.refs import Json

_NAME = {
    "name": "Name",
    "type": "string",
    "format": "name",
    "description": "The name of the object.",
    "priority": 0,
}
_AGE = Column("Age", ".metadata.creationTimestamp", "date")


def table(
    kind: Kind, items: Iterable[Json], metadata: Json, *, include: str, now: datetime
) -> Json:
    """`include`: what a row carries of its object: None, Metadata or Object."""
    columns = kind.columns or (_AGE,)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_NAME, *map(_definition, columns)],
        "rows": [_row(columns, item, include, now) for item in items],
    }


def _definition(column: Column) -> Json:
    kind = "string" if column.type in ("date", "reference") else column.type
    return {
        "name": column.name,
        "type": kind,
        "format": "",
        "description": f"From {column.path}.",
        "priority": column.priority,
    }


def _row(columns: Iterable[Column], item: Json, include: str, now: datetime) -> Json:
    cells = [item["metadata"]["name"], *(_cell(column, item, now) for column in columns)]
    row: Json = {"cells": cells}
    if include == "Object":
        row["object"] = item
    elif include == "Metadata":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": item["metadata"],
        }
    return row


def _cell(column: Column, item: Json, now: datetime) -> Any:
    if column.cell is not None:
        return column.cell(item)
    found = compile_path(column.path)(item)
    if not found:
        return "" if column.type in ("string", "reference") else None
    first = found[0]
    if column.type == "date":
        return age(str(first), now)
    if column.type == "reference":
        return f"{str(first.get('kind', '')).lower()}/{first.get('name', '')}"
    return ",".join(str(one) for one in found) if column.type == "string" else first


def age(timestamp: str, now: datetime) -> str:
    """As kubectl writes it: two units at most, and only one where the second says little."""
    try:
        then = datetime.fromisoformat(timestamp)
    except ValueError:
        return "<unknown>"
    seconds = max(
        0, int((now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds())
    )
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"
