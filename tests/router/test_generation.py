"""Which graphs are served after which edits: the last good one of each, until its document goes."""

from collections.abc import Mapping

import pytest

from graph.problems import Located, Problem, Severity
from router.config import EndpointSource, GraphSource
from router.generation import Generation, settle
from router.source import Loaded, LoadedGraph


def graph(key: str, text: str = "1", file: str = "a.yaml") -> LoadedGraph:
    return LoadedGraph(GraphSource(key, text.encode()), f"r{text}", file)


def error(file: str = "a.yaml", key: str | None = None) -> Located:
    return Located(file, 3, 7, Problem((), "bad", "mend it"), key)


def warning(key: str) -> Located:
    return Located("a.yaml", 3, 7, Problem((), "odd", "look at it", Severity.WARNING), key)


def loaded(
    *graphs: LoadedGraph,
    problems: tuple[Located, ...] = (),
    files: tuple[str, ...] = ("a.yaml",),
    endpoints: Mapping[str, EndpointSource] | None = None,
) -> Loaded:
    return Loaded(graphs, endpoints or {}, problems, frozenset(files))


START = settle(Generation(), loaded(graph("ns/a"), graph("ns/b")), now=1.0)


def shown(generation: Generation) -> dict[str, str]:
    return {
        key: served.loaded.source.manifest.decode() + ("!" if served.stale else "")
        for key, served in generation.graphs.items()
    }


@pytest.mark.parametrize(
    ("edit", "served"),
    [
        pytest.param(
            loaded(graph("ns/a", "2"), graph("ns/b")),
            {"ns/a": "2", "ns/b": "1"},
            id="a good edit is served",
        ),
        pytest.param(
            loaded(graph("ns/b"), problems=(error(key="ns/a"),)),
            {"ns/a": "1!", "ns/b": "1"},
            id="a bad edit keeps the old graph, the others go on",
        ),
        pytest.param(
            loaded(graph("ns/b", "2"), problems=(error(key="ns/a"),)),
            {"ns/a": "1!", "ns/b": "2"},
            id="a bad edit beside a good one in the same file",
        ),
        pytest.param(
            loaded(problems=(error(),)),
            {"ns/a": "1!", "ns/b": "1!"},
            id="a file that does not parse, or is empty, keeps all its graphs",
        ),
        pytest.param(
            loaded(graph("ns/b"), problems=(error(),)),
            {"ns/a": "1!", "ns/b": "1"},
            id="a document that nobody can name may be the missing graph",
        ),
        pytest.param(
            loaded(graph("ns/b")), {"ns/b": "1"}, id="a removed document removes its graph"
        ),
        pytest.param(
            loaded(graph("ns/b"), problems=(error(key="ns/b2"),)),
            {"ns/b": "1"},
            id="a bad graph beside it does not keep a removed one",
        ),
        pytest.param(loaded(files=()), {}, id="a removed file removes its graphs"),
        pytest.param(
            loaded(problems=(error(file="a.yaml"),), files=()),
            {},
            id="even if that it is missing is called a problem",
        ),
        pytest.param(
            loaded(problems=(error(file="other.yaml"),), files=("other.yaml",)),
            {},
            id="a bad file elsewhere keeps nothing here",
        ),
        pytest.param(
            loaded(graph("ns/a", file="new.yaml"), graph("ns/b"), files=("a.yaml", "new.yaml")),
            {"ns/a": "1", "ns/b": "1"},
            id="a graph may move to another file",
        ),
        pytest.param(
            loaded(graph("ns/b"), problems=(error("new.yaml", "ns/a"),), files=("new.yaml",)),
            {"ns/a": "1!", "ns/b": "1"},
            id="moved and broken at once: kept",
        ),
        pytest.param(
            loaded(graph("ns/a"), graph("ns/b"), graph("ns/c")),
            {"ns/a": "1", "ns/b": "1", "ns/c": "1"},
            id="a new document is a new graph",
        ),
        pytest.param(
            loaded(graph("ns/a", "2"), graph("ns/b"), problems=(error("b.yaml", "ns/a"),)),
            {"ns/a": "1!", "ns/b": "1"},
            id="two of one name: the one that served, until it is clear which is meant",
        ),
        pytest.param(
            loaded(graph("ns/a", "2"), graph("ns/b"), problems=(warning("ns/a"),)),
            {"ns/a": "2", "ns/b": "1"},
            id="a warning stops nothing",
        ),
    ],
)
def test_an_edit(edit: Loaded, served: dict[str, str]) -> None:
    assert shown(settle(START, edit, now=2.0)) == served


def test_a_stale_graph_stays_through_further_bad_edits_and_recovers() -> None:
    bad = settle(START, loaded(problems=(error(),)), now=2.0)
    worse = settle(bad, loaded(problems=(error(), error(key="ns/a"))), now=3.0)
    good = settle(worse, loaded(graph("ns/a", "4"), graph("ns/b")), now=4.0)
    assert shown(worse) == {"ns/a": "1!", "ns/b": "1!"}
    assert shown(good) == {"ns/a": "4", "ns/b": "1"}


def test_workers_hear_only_of_what_changes_their_work() -> None:
    bad = settle(START, loaded(problems=(error(),)), now=2.0)
    changed = settle(bad, loaded(graph("ns/a", "2"), graph("ns/b")), now=3.0)
    moved = settle(
        changed,
        loaded(
            graph("ns/a", "2"),
            graph("ns/b"),
            endpoints={"ns/s": EndpointSource.of(("http://h",), "/")},
        ),
        now=4.0,
    )
    assert [g.number for g in (START, bad, changed, moved)] == [1, 1, 2, 3]


def test_since_is_when_this_manifest_began_to_serve() -> None:
    bad = settle(START, loaded(problems=(error(),)), now=2.0)
    after = settle(bad, loaded(graph("ns/a", "2"), graph("ns/b")), now=3.0)
    assert {key: served.since for key, served in after.graphs.items()} == {"ns/a": 3.0, "ns/b": 1.0}


def test_a_graph_that_was_never_good_is_known_as_such() -> None:
    problem = error(key="ns/new")
    after = settle(START, loaded(graph("ns/a"), graph("ns/b"), problems=(problem,)), now=2.0)
    assert after.unserved() == {"ns/new": [problem]}
    assert str(problem) == "a.yaml:3:7: error bad: mend it"
