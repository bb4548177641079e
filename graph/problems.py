"""What can be wrong with a manifest, as values.

A problem names a place in the document by its path (`("spec", "nodes", "root", "steps", 0)`); the
loaded document turns that path into file, line and column, and the problem into a `Located` one.
Nothing here knows files or YAML.
"""

from dataclasses import dataclass
from enum import StrEnum

Path = tuple[str | int, ...]


class Severity(StrEnum):
    ERROR = "error"  # the graph cannot run, or would not do what it says: not served
    WARNING = "warning"  # it runs as KServe would run it, and probably not as meant


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and how to mend it.

    `code` is stable (users grep for it); `message` says what is wrong and ends with the way to mend
    it. `offset` is the place within a text, in characters, where the path names one.
    """

    path: Path
    code: str
    message: str
    severity: Severity = Severity.ERROR
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """A problem with the place where the user can mend it.

    Lines and columns count from 1. `graph` is the key of the graph that it belongs to, None if
    nobody can tell: a file that does not parse, a document of another kind.
    """

    file: str
    line: int
    column: int
    problem: Problem
    graph: str | None = None

    @property
    def is_error(self) -> bool:
        return self.problem.severity is Severity.ERROR

    def __str__(self) -> str:
        # A file name may hold line ends or bytes that are no UTF-8, and a report is read by line.
        file = self.file if self.file.isprintable() else ascii(self.file)
        found = self.problem
        return f"{file}:{self.line}:{self.column}: {found.severity} {found.code}: {found.message}"


class InvalidGraph(Exception):
    """A spec that cannot be compiled. `problems` holds every fault found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.code}: {p.message}" for p in problems))
        self.problems = problems
