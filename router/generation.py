"""What is served, and why: the last good manifest of each graph through any sequence of edits.

`settle` is the whole rule, as a pure function of what was served, what is loaded now and the time.
A graph goes only when its document or its file goes; whatever is bad keeps the graph as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graph.problems import Located
from router.config import EndpointSource
from router.source import Loaded, LoadedGraph


@dataclass(frozen=True, slots=True)
class ServedGraph:
    """`problems` not empty and `stale`: the newest edit is bad, so this older one serves."""

    loaded: LoadedGraph
    since: float
    stale: bool = False
    problems: tuple[Located, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """One state of all graphs. A number stands for what workers have to install."""

    number: int = 0
    graphs: Mapping[str, ServedGraph] = field(default_factory=dict)
    endpoints: Mapping[str, EndpointSource] = field(default_factory=dict)
    problems: tuple[Located, ...] = ()
    refused: tuple[str, ...] = ()  # why workers could not install the one that should be here

    @property
    def errors(self) -> list[Located]:
        return [problem for problem in self.problems if problem.is_error]

    def unserved(self) -> dict[str, list[Located]]:
        """Graphs that are bad and were never good."""
        bad: dict[str, list[Located]] = {}
        for problem in self.errors:
            if problem.graph is not None and problem.graph not in self.graphs:
                bad.setdefault(problem.graph, []).append(problem)
        return bad

    def same_work(self, other: "Generation") -> bool:
        """Whether workers that have the one have the other."""
        return self.endpoints == other.endpoints and (
            {key: graph.loaded.source for key, graph in self.graphs.items()}
            == {key: graph.loaded.source for key, graph in other.graphs.items()}
        )


def settle(before: Generation, loaded: Loaded, now: float) -> Generation:
    """The generation after `before`, once `loaded` is the state of the files."""
    good = {graph.key: graph for graph in loaded.graphs}
    own: dict[str, list[Located]] = {}
    nobodys: dict[str, list[Located]] = {}  # errors by file; a file that is gone hides nothing
    for problem in loaded.problems:
        if problem.graph is not None:
            own.setdefault(problem.graph, []).append(problem)
        elif problem.is_error and problem.file in loaded.files:
            nobodys.setdefault(problem.file, []).append(problem)

    graphs: dict[str, ServedGraph] = {}
    for key in dict.fromkeys((*before.graphs, *good)):
        old, new, about = before.graphs.get(key), good.get(key), own.get(key, [])
        bad = any(problem.is_error for problem in about)  # good and bad at once: there are two now
        if old is not None and new is None and not bad:
            about = nobodys.get(old.loaded.file, [])
            bad = bool(about)  # what nobody can read may be this graph
        if old is not None and bad:
            graphs[key] = replace(old, stale=True, problems=tuple(about))
        elif new is not None:
            same = old is not None and old.loaded.source == new.source
            since = old.since if old is not None and same else now
            graphs[key] = ServedGraph(new, since, problems=tuple(about))
    after = Generation(before.number, graphs, dict(loaded.endpoints), loaded.problems)
    return after if after.same_work(before) else replace(after, number=before.number + 1)
