"""The server's tables as text: columns in line, three spaces between them, nothing else.

The same on a terminal and in a pipe, so that what people see is what scripts get.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from controller.client.api import Json

GAP = 3


class Rows:
    """Prints lines whose columns stay in line; a stream widens them as longer cells come."""

    def __init__(self, header: Sequence[str] = ()) -> None:
        self._widths: list[int] = []
        self._header: Sequence[str] | None = header or None

    def lines(self, rows: Iterable[Sequence[object]]) -> list[str]:
        """With the header the first time that there is a row."""
        texts = [[_text(cell) for cell in row] for row in rows]
        if texts and self._header is not None:
            texts.insert(0, [name.upper() for name in self._header])
            self._header = None
        for row in texts:
            self._widths += [0] * (len(row) - len(self._widths))
            self._widths = [
                max(width, len(row[at]) if at < len(row) else 0)
                for at, width in enumerate(self._widths)
            ]
        return [self._line(row) for row in texts]

    def _line(self, row: Sequence[str]) -> str:
        padded = (cell.ljust(width + GAP) for cell, width in zip(row, self._widths, strict=False))
        return "".join(padded).rstrip()


def header(table: Json, *, wide: bool, namespaces: bool) -> list[str]:
    columns = [column["name"] for column in table["columnDefinitions"] if _shown(column, wide)]
    return ["Namespace", *columns] if namespaces else columns


def rows(table: Json, *, wide: bool, namespaces: bool, prefix: str = "") -> list[list[Any]]:
    """`prefix` before each name tells the kind where tables of several stand together."""
    shown = [_shown(column, wide) for column in table["columnDefinitions"]]
    found = []
    for row in table["rows"] or ():
        cells = [cell for cell, visible in zip(row["cells"], shown, strict=True) if visible]
        cells[0] = f"{prefix}{cells[0]}"
        namespace = row["object"]["metadata"].get("namespace", "")
        found.append([namespace, *cells] if namespaces else cells)
    return found


def _shown(column: Json, wide: bool) -> bool:
    return wide or column["priority"] == 0


def _text(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
