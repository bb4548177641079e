"""Graphs that call graphs: which URLs are those of another graph, and what follows from it.

A URL names a graph if its host is the graph's in a cluster (`NAME.NAMESPACE`, with `.svc` or
`.svc.cluster.local`), or if it leads to this router's own port at `/graphs/NAMESPACE/NAME`. What
calls itself by any way round would never end.
"""

import re
from collections.abc import Container, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final
from urllib.parse import urlsplit

from graph.problems import Path
from graph.spec import InferenceGraph

MAX_DEPTH: Final = 16  # of graphs within graphs
GRAPHS: Final = "/graphs/"
_CLUSTER = re.compile(
    r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?\.?"
)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
HTTP: Final = 80


def inner_graph(url: str, graphs: Container[str], port: int, caller: str = "") -> str | None:
    """The key of the graph that a URL names; `port` is the router's own, 0 if nobody knows. A graph
    does not mean itself by its cluster name, but a service of the same name.
    """
    try:
        parts = urlsplit(url)
        host, given = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme != "http":
        return None
    own = bool(port) and given == port
    key: str | None = None
    if parts.path.startswith(GRAPHS):
        if own and host in _LOOPBACK:
            key = "/".join(parts.path.split("/")[2:4])
    elif given is None or given == HTTP or own:
        key = _key(host)
        if key == caller:
            return None
    return key if key in graphs else None


def inner_calls(graph: InferenceGraph, graphs: Container[str], port: int) -> dict[str, Path]:
    """The graphs that a graph calls, each with the place of the first step that does."""
    found: dict[str, Path] = {}
    for name, node in graph.spec.nodes.items():
        for index, step in enumerate(node.steps or ()):
            key = step.service_url and inner_graph(step.service_url, graphs, port, graph.key)
            if key:
                found.setdefault(key, ("spec", "nodes", name, "steps", index, "serviceUrl"))
    return found


def _key(host: str) -> str:
    found = _CLUSTER.fullmatch(host)
    return f"{found['namespace']}/{found['name']}" if found else ""


def loops(calls: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """`calls` says of each graph which it calls. Each loop begins and ends with the same graph;
    without the last call of each there is none.
    """
    edges = {caller: set(called) for caller, called in calls.items()}
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter({name: sorted(edges[name]) for name in sorted(edges)}).prepare()
        except CycleError as error:
            way: list[str] = error.args[1][::-1]  # callers before those whom they call
            found.append(way)
            edges[way[-2]].discard(way[-1])
        else:
            return found


def depths(calls: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How deep graphs nest below each; of graphs without loops."""
    depth: dict[str, int] = {}
    edges = {caller: list(called) for caller, called in calls.items()}
    for name in TopologicalSorter(edges).static_order():
        depth[name] = 1 + max((depth[each] for each in edges.get(name, ())), default=0)
    return depth
