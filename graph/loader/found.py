"""Problems as they come up, with an end: nobody reads a million lines, and memory is finite."""

from collections import Counter
from collections.abc import Iterable

from graph.codes import Code
from graph.problems import Located, Severity

MAX_PROBLEMS = 1_000  # of each severity in a document, so that no error hides behind warnings


class Found:
    def __init__(self, problems: Iterable[Located] = ()) -> None:
        self._kept: list[Located] = []
        self._seen: Counter[Severity] = Counter()
        self._first_dropped: Located | None = None
        for problem in problems:
            self.add(problem)

    def add(self, located: Located) -> None:
        severity = located.problem.severity
        self._seen[severity] += 1
        if self._seen[severity] <= MAX_PROBLEMS:
            self._kept.append(located)
        elif self._first_dropped is None:
            self._first_dropped = located

    def all(self) -> tuple[Located, ...]:
        first = self._first_dropped
        if first is None:
            return tuple(self._kept)
        message = "more problems follow from here on; mend the others first"
        problem = Code.TOO_MANY_PROBLEMS.at((), message)
        end = Located(first.file, first.line, first.column, problem, first.graph)
        return (*self._kept, end)
