"""Which parts of a download are safe on the disk, so that the next try fetches only the others.

One line a part, added after its bytes were synced; so whatever ends the process or the machine, a
line tells the truth. A last line that was cut short is none. The first line says for which listing
of the source the parts are: when the model has changed since, all begins anew.
"""

import json
import os
import shutil
from pathlib import Path

Part = tuple[int, int, int]  # index of the item, start, end


class Journal:
    """Blocking, and short."""

    def __init__(self, path: Path, tree: Path) -> None:
        self._path = path
        self._tree = tree
        self.done: set[Part] = set()

    def open(self, digest: str | None) -> None:
        """Reads what is done of this listing; if that is nothing, the tree is emptied."""
        lines = self._lines()
        if digest is not None and lines and lines[0] == digest:
            self.done = set(filter(None, map(_part, lines[1:])))
            return
        shutil.rmtree(self._tree)
        self._tree.mkdir()
        self._path.write_text(f"{json.dumps(digest)}\n")

    def add(self, part: Part) -> None:
        # One write, to the end: lines of several parts never mix.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, f"{json.dumps(part)}\n".encode())
        finally:
            os.close(descriptor)

    def _lines(self) -> list[object]:
        try:
            *whole, _ = self._path.read_bytes().split(b"\n")
        except OSError:
            return []
        return list(map(_parsed, whole))


def _parsed(line: bytes) -> object:
    """None for one that was cut short, and then written on."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _part(line: object) -> Part | None:
    match line:
        case [int(index), int(start), int(end)]:
            return index, start, end
    return None
