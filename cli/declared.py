"""Joins router and controller: what the InferenceServices in a set of files say of endpoints."""

from collections.abc import Mapping
from dataclasses import replace

from controller.endpoints import cluster_endpoints
from controller.local.built_in import built_in_runtimes
from controller.resources.parse import parse
from graph.problems import Located, Severity
from graph.workspace import Workspace
from router.config import EndpointSource


def declared(
    workspace: Workspace,
) -> tuple[Mapping[str, EndpointSource], list[Located]]:
    """Where a cluster has these services. `serve` does not run them, so their faults only warn."""
    resources = parse(workspace.documents, built_in_runtimes())
    endpoints, problems = cluster_endpoints(resources)
    warnings = [
        replace(located, problem=replace(located.problem, severity=Severity.WARNING))
        for located in (*resources.problems, *problems)
    ]
    sources = {
        key: EndpointSource.of(found.addresses, found.path) for key, found in endpoints.items()
    }
    return sources, warnings
