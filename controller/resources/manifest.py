"""One document as somebody wrote it, and what is wrong with it.

Whoever loads files hands manifests in; the controller gives faults back. A fault knows its
manifest, so that the place of a problem can be shown as file, line and column. No YAML here, and
no files are opened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from graph.problems import Path, Problem, Severity


def _top(_: Path) -> tuple[int, int]:
    return (1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    value: Mapping[str, Any]
    folder: FilePath  # relative paths in it start here
    file: str = "<memory>"
    locate: Callable[[Path], tuple[int, int]] = _top  # path -> line and column, from 1

    @property
    def kind(self) -> str:
        return str(self.value.get("kind", ""))


@dataclass(frozen=True, slots=True)
class Fault:
    manifest: Manifest
    problem: Problem

    @property
    def is_error(self) -> bool:
        return self.problem.severity is Severity.ERROR

    def __str__(self) -> str:
        line, column = self.manifest.locate(self.problem.path)
        problem = self.problem
        where = f"{self.manifest.file}:{line}:{column}"
        return f"{where}: {problem.severity} {problem.code}: {problem.message}"
