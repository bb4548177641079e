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
    graphs: dict[str, ServedGraph] = {}
    for graph in loaded.graphs:
        old = before.graphs.get(graph.key)
        same = old is not None and old.loaded.source == graph.source
        graphs[graph.key] = ServedGraph(
            graph, old.since if old and same else now, problems=_about(graph.key, loaded)
        )
    for key, old in before.graphs.items():
        if key not in graphs and (reasons := _why_kept(old, loaded)):
            graphs[key] = replace(old, stale=True, problems=reasons)
    after = Generation(before.number, graphs, dict(loaded.endpoints), loaded.problems)
    return after if after.same_work(before) else replace(after, number=before.number + 1)


def _about(key: str, loaded: Loaded) -> tuple[Located, ...]:
    return tuple(problem for problem in loaded.problems if problem.graph == key)


def _why_kept(old: ServedGraph, loaded: Loaded) -> tuple[Located, ...]:
    """The errors that may hide this graph: its own, and those of its file that are nobody's. A file
    that is gone hides nothing.
    """
    file = old.loaded.file if old.loaded.file in loaded.files else None
    return tuple(
        problem
        for problem in loaded.problems
        if problem.is_error
        and (problem.graph == old.loaded.key or (problem.graph is None and problem.file == file))
    )
