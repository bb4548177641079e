"""Which graph a command means, out of those that its paths hold."""

from cli.options import FAILED, USAGE, fail
from graph.codes import Code
from graph.loader import Document
from graph.spec import InferenceGraph
from graph.workspace import Workspace


def chosen(found: Workspace, name: str | None) -> tuple[Document, InferenceGraph]:
    """The one without errors that is called so (NS/NAME, or NAME where one namespace has it), or
    the only one; or the end of the command.
    """
    if any(one.problem.code == Code.UNREADABLE_PATH.text for one in found.path_problems):
        fail(USAGE, [str(problem) for problem in found.path_problems])
    errors = [str(problem) for problem in found.problems if problem.is_error]
    graphs = [document for document in found.documents if document.is_graph]
    if name is not None:
        graphs = [document for document in graphs if name in (document.key, document.name)]
        if not graphs:
            fail(USAGE, [f"there is no graph {name}; {_list(found)}", *errors])
    if not graphs:
        fail(FAILED, errors or ["no InferenceGraph there; name files that have one"])
    if len(graphs) > 1:
        fail(USAGE, [f"several graphs there; choose one by --graph: {_list(found)}"])
    (document,) = graphs
    if document.graph is None or not document.ok:
        fail(FAILED, [str(problem) for problem in document.problems if problem.is_error])
    return document, document.graph


def _list(found: Workspace) -> str:
    keys = dict.fromkeys(document.key for document in found.documents if document.is_graph)
    return f"there are {', '.join(keys)}" if keys else "there is none"
