"""Tells when files may have changed. Whoever asks loads everything again and compares, so a false
alarm costs a little time and a true one is never missed.

A single file is watched through its folder: editors save by renaming, and a ConfigMap's files
change when the `..data` link beside them is swapped. A folder is watched with all below it, and
by name from its parent, for those who swap a link to a folder (git-sync).
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import Change, awatch

log = logging.getLogger("graphway.watch")

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
QUIET_MS = 100  # a burst of writes is one change
RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class Scope:
    """What to watch: `folders` with only the `names` in them, and whole `trees`."""

    folders: frozenset[Path] = frozenset()
    names: frozenset[str] = frozenset()
    trees: frozenset[Path] = field(default=frozenset())

    def in_folder(self, _: Change, path: str) -> bool:
        name = Path(path).name
        return name in self.names or name.startswith("..")

    @staticmethod
    def in_tree(_: Change, path: str) -> bool:
        """Manifests, folders, links, and whatever is gone; not the log file that somebody writes
        there."""
        changed = Path(path)
        return changed.suffix in SUFFIXES or os.path.isdir(path) or not os.path.exists(path)


def scope_of(paths: Iterable[Path]) -> Scope:
    folders: set[Path] = set()
    names: set[str] = set()
    trees: set[Path] = set()
    for path in paths:
        absolute = path.absolute()
        real = Path(os.path.realpath(absolute))  # Path.resolve raises for a link to itself
        if os.path.isdir(absolute):
            trees.add(real)
            folders.add(_existing(absolute.parent))
            names.add(absolute.name)
        else:
            # The file, what it links to, and the first folder that is missing on the way to it.
            for place in (absolute, real):
                folder = _existing(place.parent)
                folders.add(folder)
                names.update((place.name, place.relative_to(folder).parts[0]))
    return Scope(frozenset(folders), frozenset(names), frozenset(trees))


def _existing(folder: Path) -> Path:
    while not os.path.isdir(folder):  # Path.is_dir raises where nobody may look
        folder = folder.parent
    return folder


async def watch(paths: Callable[[], Sequence[Path]], changed: Callable[[], None]) -> None:
    """Calls `changed` whenever something at these paths may be new. Runs until cancelled."""
    polling = False
    while True:
        scope = scope_of(paths())
        moved = asyncio.Event()

        def heard(scope: Scope = scope, moved: asyncio.Event = moved) -> None:
            changed()
            if scope_of(paths()) != scope:
                moved.set()

        try:
            async with asyncio.TaskGroup() as tasks:
                for places, recursive in ((scope.folders, False), (scope.trees, True)):
                    if places:
                        tasks.create_task(_follow(places, scope, recursive, polling, moved, heard))
                await asyncio.sleep(0)  # each has run up to its first wait: now they listen
                changed()  # for what happened while nobody did
        except* (OSError, RuntimeError) as group:
            log.warning("watching files by polling: %s", group.exceptions[0])
            if polling:
                await asyncio.sleep(RETRY_S)
            polling = True


async def _follow(
    places: frozenset[Path],
    scope: Scope,
    recursive: bool,
    polling: bool,
    moved: asyncio.Event,
    heard: Callable[[], None],
) -> None:
    """Reports until the scope has moved."""
    async for _ in awatch(
        *places,
        watch_filter=scope.in_tree if recursive else scope.in_folder,
        recursive=recursive,
        step=QUIET_MS,
        debounce=QUIET_MS * 10,
        force_polling=polling,
        stop_event=moved,
    ):
        heard()
