"""What a graph means. `graph.load(text)` -> documents, `graph.check(graph)` -> problems,
`graph.compile(graph)` -> plan, `graph.conditions.compile(text)` -> condition.

Each is imported when it is first asked for: a worker, which gets its graphs from the parent as
JSON, never loads YAML.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graph import conditions
    from graph.checks.chain import check
    from graph.compiler import compile
    from graph.loader import Document, Documents, load, load_spec_json
    from graph.workspace import Workspace, load_paths

__all__ = [
    "Document",
    "Documents",
    "Workspace",
    "check",
    "compile",
    "conditions",
    "load",
    "load_paths",
    "load_spec_json",
]

_HOMES = {
    "Document": "graph.loader",
    "Documents": "graph.loader",
    "Workspace": "graph.workspace",
    "check": "graph.checks.chain",
    "compile": "graph.compiler",
    "load": "graph.loader",
    "load_paths": "graph.workspace",
    "load_spec_json": "graph.loader",
}


def __getattr__(name: str) -> Any:
    if name == "conditions":
        return import_module("graph.conditions")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
