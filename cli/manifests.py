"""The files of `up`, handed to the control plane: each load says which objects there should be.

Called in the thread that loads them; the store is the loop's, so what was found travels there as a
value. A file that holds an error takes nothing away: what it gave before stays.
"""

import os.path
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from controller.endpoints import cluster_endpoints
from controller.local.plan import Machine, Plan, plan
from controller.resources.kinds import Kind, kind_of
from controller.resources.model import dump
from controller.resources.parse import Resources, parse
from controller.store.files import Manifest
from graph.loader import Document
from graph.problems import Located
from graph.workspace import Workspace
from router.config import EndpointSource

SERVICE = "InferenceService"


@dataclass(frozen=True, slots=True)
class Taken:
    """One load. `unreadable`: files and folders that may hold more than could be read."""

    manifests: tuple[Manifest, ...] = ()
    unreadable: frozenset[str] = frozenset()


class Manifests:
    """`on_load` is called in the thread of the load."""

    def __init__(self, machine: Machine, built_in: Sequence[Document]) -> None:
        self._machine = machine
        self._built_in = built_in
        self.on_load: Callable[[Taken], None] = lambda _: None
        self.taken = Taken()
        self.planned = Plan((), {}, ())
        # Services that are only in the store.
        self.others: Callable[[], Mapping[str, EndpointSource]] = dict

    def __call__(
        self, workspace: Workspace
    ) -> tuple[Mapping[str, EndpointSource], Sequence[Located]]:
        resources = parse(workspace.documents, self._built_in)
        self.planned = plan(resources, self._machine)
        self.taken = _taken(workspace, resources)
        self.on_load(self.taken)
        return {**self.others(), **_declared(workspace, resources)}, self.planned.problems


def _declared(workspace: Workspace, resources: Resources) -> dict[str, EndpointSource]:
    """Also of those that cannot run as they are: a graph that calls one names what is there. Nobody
    is ready yet; the control plane says when.
    """
    paths = {
        document.key: f"/v1/models/{document.name}:predict"
        for document in workspace.documents
        if document.kind == SERVICE
    }
    sound, _ = cluster_endpoints(resources)
    paths |= {key: endpoint.path for key, endpoint in sound.items()}
    return {key: EndpointSource.of((), path) for key, path in paths.items()}


def _taken(workspace: Workspace, resources: Resources) -> Taken:
    given = {id(document) for document in workspace.documents}
    manifests: list[Manifest] = []
    for declared in resources.objects.values():
        kind = kind_of(declared.resource.api_version, declared.resource.kind)
        if id(declared.document) in given and kind is not None:
            manifests.append(_manifest(declared.document, kind, dump(declared.resource)))
    for document in workspace.graphs:
        kind = cast(Kind, kind_of(document.api_version, document.kind))
        manifests.append(_manifest(document, kind, document.data))
    problems = (*workspace.problems, *resources.problems)
    bad = {os.path.abspath(problem.file) for problem in problems if problem.is_error}
    return Taken(tuple(manifests), frozenset(bad))


def _manifest(document: Document, kind: Kind, resource: dict[str, object]) -> Manifest:
    return Manifest(os.path.abspath(document.file), kind, resource)
