"""Text -> documents: kinds told apart, lists taken apart, InferenceGraphs parsed.

A document of another kind is kept with its data and its places, for whoever knows that kind.
Whatever the text is, the answer is documents and problems, never an exception.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from graph.codes import Code
from graph.loader.fields import field_problems
from graph.loader.found import Found
from graph.loader.places import Place
from graph.loader.reader import Reader
from graph.loader.text import decode, readable
from graph.problems import Located, Path, Problem
from graph.spec import API_VERSION, KIND, InferenceGraph
from graph.wording import Speller, shown

MAX_BYTES = 32 * 1024 * 1024  # a cluster takes 1.5 MB an object; a larger file is no manifest
GROUP = "serving.kserve.io"
_KINDS = (
    KIND,
    "InferenceService",
    "ServingRuntime",
    "ClusterServingRuntime",
    "TrainedModel",
    "ClusterStorageContainer",
    "LocalModelCache",
    "LocalModelNamespaceCache",
    "LocalModelNode",
    "LocalModelNodeGroup",
    "LLMInferenceService",
    "LLMInferenceServiceConfig",
)


@dataclass(frozen=True, slots=True)
class Document:
    """One resource of a file. `namespace` is "default" and `name` is empty where none is given."""

    file: str
    api_version: str
    kind: str
    name: str
    namespace: str
    data: dict[str, Any]
    place: Place
    graph: InferenceGraph | None = None
    problems: tuple[Located, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def is_graph(self) -> bool:
        """Whether it is meant to be one; `graph` is None all the same if it does not parse."""
        return self.kind == KIND

    @property
    def ok(self) -> bool:
        return not any(problem.is_error for problem in self.problems)

    def locate(self, path: Path) -> tuple[int, int]:
        """Line and column, from 1, of the nearest thing that the document has of this path."""
        return self.place.find(path)

    def located(self, problem: Problem) -> Located:
        owner = self.key if self.is_graph and self.name else None
        place = self.place.find(problem.path, problem.offset)
        return Located(self.file, *place, problem, owner)

    def having(self, problems: Iterable[Problem]) -> "Document":
        found = Found((*self.problems, *map(self.located, problems)))
        return replace(self, problems=found.all())


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one text, in order. `problems` are those of the text as a whole (what is no
    YAML has no documents to put them in) and those of its documents.
    """

    file: str
    documents: tuple[Document, ...]
    text_problems: tuple[Located, ...] = ()

    @property
    def problems(self) -> tuple[Located, ...]:
        own = [problem for document in self.documents for problem in document.problems]
        return tuple(sorted((*self.text_problems, *own), key=lambda p: (p.line, p.column)))

    def __iter__(self) -> Iterator[Document]:
        return iter(self.documents)

    def __len__(self) -> int:
        return len(self.documents)

    def __getitem__(self, index: int) -> Document:
        return self.documents[index]


def load(text: str | bytes, file: str = "<text>") -> Documents:
    """Everything that the text says, and everything that is wrong with how it says it."""
    reads, problems = read(text, file)
    documents: list[Document] = []
    for value, place in reads:
        documents.extend(_documents(value, place, file, problems))
    if not documents and not problems:
        message = "nothing here: no document; if this is meant, remove the file"
        problems.append(Located(file, 1, 1, Code.NO_DOCUMENTS.at((), message)))
    return Documents(file, tuple(documents), Found(problems).all())


def read(text: str | bytes, file: str) -> tuple[list[tuple[Any, Place]], list[Located]]:
    """Plain values of the text with their places, before anybody asks what they mean."""
    problems: list[Located] = []

    def report(code: Code, line: int, column: int, message: str) -> None:
        problems.append(Located(file, line + 1, column + 1, code.at((), message)))

    if len(text) > MAX_BYTES:
        report(Code.TOO_LARGE, 0, 0, TOO_LARGE)
        return [], problems
    decoded = decode(text, report) if isinstance(text, bytes) else text
    checked = readable(decoded, report) if decoded is not None else None
    if checked is None:
        return [], problems
    reader = Reader(checked, file)
    found = [(document.value, document.place) for document in reader.read()]
    return found, [*problems, *reader.problems]


TOO_LARGE = f"more than {MAX_BYTES // 2**20} MiB; no manifest is that large, or split it"


def _documents(value: Any, place: Place, file: str, problems: list[Located]) -> Iterator[Document]:
    """The resources of one YAML document: one, those of a list, or none."""

    def report(code: Code, path: Path, message: str) -> None:
        problems.append(Located(file, *place.find(path), code.at(path, message)))

    if value is None:  # as between two `---`
        return
    if not isinstance(value, dict):
        message = "a document is a mapping with apiVersion, kind and metadata; this is not one"
        report(Code.NOT_A_RESOURCE, (), message)
        return
    kind, api_version = value.get("kind"), value.get("apiVersion")
    items = value.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            where = place.child("items", index)
            yield from _documents(item, where, file, problems)
        return
    given = {"kind": (kind, KIND), "apiVersion": (api_version, API_VERSION)}
    missing = [key for key, (found, _) in given.items() if not isinstance(found, str)]
    if missing:
        lines = " and ".join(f"`{key}: {given[key][1]}`" for key in missing)
        message = f"this is no Kubernetes resource: it needs a line like {lines}"
        report(Code.NOT_A_RESOURCE, (missing[0],), message)
    if isinstance(kind, str) and isinstance(api_version, str):
        yield _document(value, place, file, api_version, kind)


def _document(
    data: dict[str, Any], place: Place, file: str, api_version: str, kind: str
) -> Document:
    metadata = data.get("metadata")
    name, namespace = (
        (metadata.get("name"), metadata.get("namespace"))
        if isinstance(metadata, dict)
        else (None, None)
    )
    document = Document(
        file=file,
        api_version=api_version,
        kind=kind,
        name=name if isinstance(name, str) else "",
        namespace=namespace if isinstance(namespace, str) and namespace else "default",
        data=data,
        place=place,
    )
    if kind == KIND:
        return parse(document)
    if api_version.startswith(f"{GROUP}/") and kind not in _KINDS:
        begun = next((known for known in _KINDS if kind and known.startswith(kind)), None)
        near = begun or Speller(_KINDS).nearest(kind)
        message = f"KServe has no kind {shown(kind)}; "
        if near is not None:  # a graph whose file is half written must not count as removed
            message += f"did you mean {shown(near)}?"
            return document.having([Code.MISSPELT_KIND.at(("kind",), message)])
        return document.having([Code.UNKNOWN_KIND.at(("kind",), message + "it is passed over")])
    return document


def parse(document: Document) -> Document:
    """The document with its graph, or with what is wrong with its fields."""
    try:
        graph = InferenceGraph.model_validate(document.data, by_alias=True, by_name=False)
    except ValidationError as error:
        return document.having(field_problems(error))
    return replace(document, graph=graph)
