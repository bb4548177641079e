"""Everything behind some paths: all documents, checked one by one and against one another.

`serve`, `up`, `check` and each hot reload ask for it. It reads the files anew every time and never
raises for what it finds in them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from graph.checks.chain import check
from graph.codes import Code
from graph.inner import MAX_DEPTH, depths, inner_calls, loops
from graph.loader import Document, Documents, Files, load
from graph.problems import Located, Path, Problem
from graph.wording import trail

_NAME: Path = ("metadata", "name")


@dataclass(frozen=True, slots=True)
class Workspace:
    """`files` are all that were read, also those that hold nothing good."""

    files: tuple[Documents, ...]
    path_problems: tuple[Located, ...] = ()

    @property
    def documents(self) -> tuple[Document, ...]:
        return tuple(document for file in self.files for document in file.documents)

    @property
    def graphs(self) -> tuple[Document, ...]:
        """The documents whose graph can be served: no error in it."""
        return tuple(found for found in self.documents if found.graph is not None and found.ok)

    @property
    def problems(self) -> tuple[Located, ...]:
        """In the order of the files, and by line within each."""
        found = [problem for file in self.files for problem in file.problems]
        return (*found, *self.path_problems)


def load_paths(paths: Iterable[str], *, kserve: bool = False, port: int = 0) -> Workspace:
    """Files, folders, and `-` for standard input. `kserve` as for `check`, `port` for `checked`."""
    files = Files(paths)
    texts = [load(file.data, file.name) for file in files]
    return checked(texts, tuple(files.problems), kserve=kserve, port=port)


def checked(
    texts: Iterable[Documents],
    path_problems: tuple[Located, ...] = (),
    *,
    kserve: bool = False,
    port: int = 0,
) -> Workspace:
    """Every document checked, then those that name the same thing told apart, and those that call
    one another in a circle. `port` is that at which they will be served, if one knows.
    """
    names: dict[str, Document] = {}
    hosts: dict[str, Document] = {}
    files: list[Documents] = []
    for text in texts:
        documents = []
        for document in text.documents:
            found: list[Problem] = []
            if document.graph is not None:
                found.extend(check(document.graph, kserve=kserve))
            if document.is_graph and document.name:
                found.extend(_clashes(document, names, hosts))
            documents.append(document.having(found))
        files.append(replace(text, documents=tuple(documents)))
    return Workspace(tuple(_without_loops(files, port)), path_problems)


def _without_loops(files: list[Documents], port: int) -> list[Documents]:
    """Problems of graphs that call themselves, by way of others or not, or others ever deeper."""
    graphs = {d.key: d for file in files for d in file.documents if d.graph is not None}
    calls = {k: inner_calls(d.graph, graphs, port) for k, d in graphs.items() if d.graph}
    if not any(calls.values()):
        return files
    found: dict[str, list[Problem]] = {}
    circles = loops(calls)
    for circle in circles:
        for caller, called in pairwise(circle):
            message = f"graphs call one another in a circle: {trail(circle)}; lead one elsewhere"
            found.setdefault(caller, []).append(Code.GRAPH_LOOP.at(calls[caller][called], message))
    if not circles:
        for key, depth in depths(calls).items():
            if depth > MAX_DEPTH:
                message = f"graphs nest {depth} deep below it, and {MAX_DEPTH} is the most"
                problem = Code.TOO_DEEP.at(_NAME, f"{message}; make nodes of some")
                found.setdefault(key, []).append(problem)
    return [
        replace(
            file,
            documents=tuple(
                d.having(found.get(d.key, ())) if graphs.get(d.key) is d else d
                for d in file.documents
            ),
        )
        for file in files
    ]


def host_names(namespace: str, name: str) -> tuple[str, str]:
    """The first labels of the host names that lead to a graph."""
    return f"{name}.{namespace}", f"{name}-{namespace}"


def _clashes(
    document: Document, names: dict[str, Document], hosts: dict[str, Document]
) -> Iterable[Problem]:
    """With the documents before it."""
    first = names.setdefault(document.key, document)
    if first is not document:
        message = f"graph {document.key} is already in {_place(first)}; rename or remove one"
        yield Code.DUPLICATE_GRAPH.at(_NAME, message)
        return
    for host in host_names(document.namespace, document.name):
        other = hosts.setdefault(host, document)
        if other is not document:
            message = (
                f"host name `{host}` is that of graph {other.key} ({_place(other)}) too, and leads"
                f" to one of them; call this one by /graphs/{document.key}, or rename it"
            )
            yield Code.HOST_CLASH.at(_NAME, message)


def _place(document: Document) -> str:
    line, _ = document.locate(_NAME)
    file = document.file if document.file.isprintable() else ascii(document.file)
    return f"{file}:{line}"
