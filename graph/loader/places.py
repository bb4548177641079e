"""Where each part of a document stands: a tree beside the values, one number a key or item."""

from dataclasses import dataclass

from graph.problems import Path

# Line and column, counted from 1, in one number: a document may have a million of them. Of an entry
# whose value is a text that stands in the file as it is, above them the line and column of that.
At = int
_COLUMN_BITS = 32
_PLACE_BITS = 64


def at(line: int, column: int) -> At:
    """From libyaml's line and column, which count from 0."""
    return (line + 1) << _COLUMN_BITS | (column + 1)


def line_and_column(where: At) -> tuple[int, int]:
    place = where & ((1 << _PLACE_BITS) - 1)
    return place >> _COLUMN_BITS, place & ((1 << _COLUMN_BITS) - 1)


def with_text(entry: At, text: At) -> At:
    """An entry that knows where its text begins."""
    return entry | text << _PLACE_BITS


START = at(0, 0)


@dataclass(frozen=True, slots=True)
class Place:
    """A mapping or sequence: where it begins, and its parts. An entry stands where its key does."""

    at: At
    children: "dict[str, Child] | list[Child]"

    def child(self, *path: str | int) -> "Place":
        """The place of what the path names; of the nearest thing around it, if it is not there."""
        here: Child = self
        for part in path:
            if isinstance(here, int):
                break
            children = here.children
            if isinstance(children, dict):
                if not isinstance(part, str) or part not in children:
                    break
                here = children[part]
            else:
                if not isinstance(part, int) or part >= len(children):
                    break
                here = children[part]
        return Place(here, []) if isinstance(here, int) else here

    def find(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """The line and column of what the path names; `offset` characters into it, if it is a text
        that stands in the file as it is.
        """
        here = self.child(*path).at
        text = here >> _PLACE_BITS
        if offset is None or not text:
            return line_and_column(here)
        line, column = line_and_column(text)
        return line, column + offset


Child = At | Place
