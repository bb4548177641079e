"""What can be wrong with a manifest, as values.

A problem names a place in the document by its path (`("spec", "nodes", "root", "steps", 0)`); the
loaded document turns that path into file, line and column. Nothing here knows files or YAML.
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
    it.
    """

    path: Path
    code: str
    message: str
    severity: Severity = Severity.ERROR


class InvalidGraph(Exception):
    """A spec that cannot be compiled. `problems` holds every fault found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.code}: {p.message}" for p in problems))
        self.problems = problems
