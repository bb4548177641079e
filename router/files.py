"""Sources of graphs for `serve`: manifests in files and folders, or one spec as JSON.

Each load reads everything anew. A graph is good if `check` finds no error in it; it then leaves as
JSON, the form in which it travels to workers.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from graph.compiler import revision
from graph.loader import Document, Documents, Files, load, load_spec_json
from graph.problems import Located
from graph.workspace import Workspace, checked
from router.config import EndpointSource, GraphSource
from router.services import GivenService, endpoints_of
from router.source import Loaded, LoadedGraph

# What the documents say of services: endpoints by `namespace/name`, and problems.
Declared = Callable[[Workspace], tuple[Mapping[str, EndpointSource], Sequence[Located]]]


def nothing_declared(_: Workspace) -> tuple[Mapping[str, EndpointSource], Sequence[Located]]:
    return {}, ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Graphs that come from elsewhere: `texts` are manifests by the name under which their problems
    are told. `hidden` are graphs of the files that do not count, by key.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()


NOTHING_BESIDE = Beside()


class FileSource:
    """`-` is standard input, which can be read once only: a reload sees the same text again."""

    def __init__(
        self,
        paths: Sequence[str],
        given: Iterable[GivenService] = (),
        declared: Declared = nothing_declared,
        beside: Callable[[], Beside] = lambda: NOTHING_BESIDE,
        port: int = 0,
    ) -> None:
        """`port` is that at which graphs call one another; 0 if nobody knows it yet."""
        self._paths = [path for path in paths if path != "-"]
        self._given = tuple(given)
        self._declared = declared
        self._beside = beside
        self._port = port
        self._stdin: list[Documents] = [
            load(file.data, file.name) for file in Files(["-"] if "-" in paths else [])
        ]

    def load(self) -> Loaded:
        files = Files(self._paths)
        texts = [*self._stdin, *(load(file.data, file.name) for file in files)]
        workspace = checked(texts, tuple(files.problems), port=self._port)
        declared, problems = self._declared(workspace)
        beside = self._beside()
        if beside != NOTHING_BESIDE:
            joined = _joined(texts, beside)
            workspace = checked(joined, tuple(files.problems), port=self._port)
        return loaded(workspace, self._given, declared, problems)

    def paths(self) -> list[Path]:
        return [Path(path) for path in self._paths]


def _joined(texts: Iterable[Documents], beside: Beside) -> Iterator[Documents]:
    """A graph that a file says counts, unless it is hidden."""
    kept: set[str] = set()
    for text in texts:
        documents = [d for d in text if not (d.is_graph and d.key in beside.hidden)]
        kept.update(document.key for document in documents if document.is_graph)
        yield replace(text, documents=tuple(documents))
    for name, manifest in beside.texts.items():
        text = load(manifest, name)
        if not any(document.key in kept for document in text):
            yield text


class JsonSource:
    """The spec that KServe's controller hands to its router."""

    def __init__(self, text: str, given: Iterable[GivenService] = ()) -> None:
        self._text = text
        self._given = tuple(given)

    def load(self) -> Loaded:
        return loaded(checked([load_spec_json(self._text)]), self._given)

    def paths(self) -> list[Path]:
        return []


def loaded(
    workspace: Workspace,
    given: Iterable[GivenService] = (),
    declared: Mapping[str, EndpointSource] | None = None,
    problems: Iterable[Located] = (),
) -> Loaded:
    """A workspace as the parent wants it."""
    endpoints, warnings = endpoints_of(workspace.graphs, given, declared or {})
    unreadable = {problem.file for problem in workspace.path_problems}
    return Loaded(
        graphs=tuple(_graph(document) for document in workspace.graphs),
        endpoints=endpoints,
        problems=(*workspace.problems, *problems, *warnings),
        files=frozenset(file.file for file in workspace.files)
        | {file for file in unreadable if os.path.lexists(file)},
    )


def _graph(document: Document) -> LoadedGraph:
    assert document.graph is not None
    manifest = document.graph.model_dump_json(by_alias=True, exclude_unset=True).encode()
    line, _ = document.locate(())
    return LoadedGraph(
        GraphSource(document.key, manifest), revision(document.graph.spec), document.file, line
    )
