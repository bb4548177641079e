"""Where graphs come from, as the parent sees it: load everything, get what is good and what is not.

`serve` reads files, `--graph-json` one argument, `up` what the controller made of its files; the
parent knows none of them, only this protocol. Loading never raises for what a user wrote: faults
are values, each with its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from graph.problems import Located
from router.config import EndpointSource, GraphSource


@dataclass(frozen=True, slots=True)
class LoadedGraph:
    """A graph that compiles."""

    source: GraphSource
    revision: str
    file: str
    line: int = 1

    @property
    def key(self) -> str:
        return self.source.key


@dataclass(frozen=True, slots=True)
class Loaded:
    """The state of the world at one moment. `files` are all that exist, also those that are bad."""

    graphs: tuple[LoadedGraph, ...] = ()
    endpoints: Mapping[str, EndpointSource] = field(default_factory=dict)
    problems: tuple[Located, ...] = ()
    files: frozenset[str] = frozenset()


class Source(Protocol):
    def load(self) -> Loaded:
        """Runs in a thread: it may take its time over many files."""

    def paths(self) -> Sequence[Path]:
        """Files and folders whose change means: load again."""
