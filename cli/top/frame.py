"""A picture of the table for a terminal of some size: which columns have room, which rows are seen.
Pure: lines of text with styles out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.text import Text

from cli.resources.revisions import IDLE, READY
from cli.top.columns import Column
from cli.top.rows import REVISION, Row

NAME_LEAST, NAME_MOST = 16, 60
KEYS = "q quit   left/right sort by   r reverse   up/down scroll"


@dataclass(frozen=True, slots=True)
class View:
    """What the user has chosen."""

    sort: int = 0  # which column
    reverse: bool = False
    top: int = 0  # the first row that is seen


@dataclass(frozen=True, slots=True)
class Picture:
    lines: list[Text]
    view: View  # scrolled no further than there are rows


def frame(
    rows: Sequence[Row],
    columns: Sequence[Column],
    view: View,
    *,
    head: str,
    fault: str,
    width: int,
    height: int,
) -> Picture:
    room = max(0, height - 3)  # head, titles and the line below
    top = max(0, min(view.top, len(rows) - max(1, room)))
    seen = rows[top : top + room]
    shown, gap = fit(columns, rows, width)
    sort = columns[view.sort % len(columns)]
    lines = [Text(head, "bold")]
    if height >= 3:
        lines.append(_titles(shown, gap, sort))
    for row in seen:
        cells = [_cell(column.text(row), wide, column.left) for column, wide in shown]
        lines.append(Text((" " * gap).join(cells), _style(row)))
    if height >= 2:
        hidden = len(rows) - len(seen)
        where = f"rows {top + 1} to {top + len(seen)} of {len(rows)}   " if hidden else ""
        lines.append(Text(fault, "bold red") if fault else Text(f"{where}{KEYS}", "dim"))
    for line in lines:
        line.truncate(max(1, width))
    return Picture(lines[: max(1, height)], replace(view, top=top))


def fit(
    columns: Sequence[Column], rows: Sequence[Row], width: int
) -> tuple[list[tuple[Column, int]], int]:
    """With their widths, and how far apart; the least kept go first where there is no room."""
    shown = [
        (column, max([len(column.title), *(len(column.text(row)) for row in rows)]))
        for column in columns
    ]
    shown = [(c, min(wide, NAME_MOST) if c.left else wide) for c, wide in shown]
    (name, name_wide), others = shown[0], shown[1:]
    least = min(name_wide, NAME_LEAST)
    while others and least + sum(wide + 1 for _, wide in others) > width:
        others.remove(min(others, key=lambda each: each[0].keep))
    gap = 1 if name_wide + sum(wide + 2 for _, wide in others) > width else 2
    left = width - sum(wide + gap for _, wide in others)
    return [(name, max(1, min(name_wide, left))), *others], gap


def _titles(shown: Sequence[tuple[Column, int]], gap: int, sort: Column) -> Text:
    titles = [
        Text(_cell(column.title, wide, column.left), "reverse" if column is sort else "bold")
        for column, wide in shown
    ]
    return Text(" " * gap).join(titles)


def _cell(text: str, wide: int, left: bool) -> str:
    cut = text if len(text) <= wide else f"{text[: wide - 1]}…"
    return cut.ljust(wide) if left else cut.rjust(wide)


def _style(row: Row) -> str:
    dim = " dim" if row.kind == REVISION and not row.share else ""
    if row.state in (READY, IDLE, "", "Stopped"):
        return dim.strip()
    return f"red{dim}" if row.state.endswith(("BackOff", "Failed", "Killed")) else f"yellow{dim}"
