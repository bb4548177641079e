"""What is measured: shapes of graphs, bodies, connections, and the budget that each case is held
to.

Only data and the manifests made from it; knows nothing of processes or load generators.
"""

import json
from dataclasses import dataclass
from typing import Any

NAMESPACE = "bench"
PSS_BUDGET_BYTES = 60 * 1024 * 1024  # a worker, at 256 connections with small bodies


@dataclass(frozen=True)
class Body:
    """A request body, and where the predictor answers with about as many bytes."""

    name: str
    size_bytes: int
    path: str

    @property
    def large(self) -> bool:
        """Sent and read by our own load generator and predictor, see `load.py` and
        `predictor.py`.
        """
        return self.size_bytes >= 1024 * 1024


SMALL = Body("50b", 50, "/50b")
MIDDLE = Body("10kb", 10 * 1024, "/10kb")
LARGE = Body("1mb", 1024 * 1024, "/large/1mb")
HUGE = Body("10mb", 10 * 1024 * 1024, "/large/10mb")
BODIES = (SMALL, MIDDLE, LARGE, HUGE)


@dataclass(frozen=True)
class Shape:
    """One kind of graph. `budget` is its ratio to nginx at 32 connections with a small body."""

    name: str
    kind: str
    steps: int
    budget: float | None = None


SHAPES = (
    Shape("Sequence-1", "Sequence", 1, budget=2.6),
    Shape("Splitter", "Splitter", 2, budget=2.8),
    Shape("Switch-5", "Switch", 5, budget=3.0),
    Shape("Sequence-3", "Sequence", 3, budget=5.2),
    Shape("Ensemble-3", "Ensemble", 3, budget=6.2),
    Shape("Ensemble-8", "Ensemble", 8),
)
ONE_HOP = SHAPES[0]
PASS_AND_MERGE = tuple(shape for shape in SHAPES if shape.name in {"Sequence-1", "Ensemble-3"})


@dataclass(frozen=True)
class Group:
    """Cases that share a body and a number of connections, and so one run of nginx and of a
    direct call a round.
    """

    body: Body
    connections: int
    shapes: tuple[Shape, ...]

    def case_name(self, shape: Shape) -> str:
        return f"{shape.name}/{self.body.name}/{self.connections}"

    def budget(self, shape: Shape) -> float | None:
        return shape.budget if self.body == SMALL and self.connections == 32 else None

    @property
    def measures_memory(self) -> bool:
        return self.body == SMALL and self.connections == 256


# Memory first: it is promised for small bodies, and large ones leave their marks on the heap.
GROUPS = (
    Group(SMALL, 256, (ONE_HOP,)),
    Group(SMALL, 32, SHAPES),
    Group(SMALL, 2, SHAPES),
    Group(MIDDLE, 32, PASS_AND_MERGE),
    Group(LARGE, 32, PASS_AND_MERGE),
    Group(HUGE, 2, PASS_AND_MERGE),
)
# Everything that has a budget, and no more.
QUICK_GROUPS = (GROUPS[0], Group(SMALL, 32, tuple(shape for shape in SHAPES if shape.budget)))


def select(groups: tuple[Group, ...], only: str) -> tuple[Group, ...]:
    """The groups, without the cases whose name does not contain `only`."""
    chosen = []
    for group in groups:
        shapes = tuple(s for s in group.shapes if only.lower() in group.case_name(s).lower())
        if shapes:
            chosen.append(Group(group.body, group.connections, shapes))
    return tuple(chosen)


def graph_name(shape: Shape, body: Body) -> str:
    return f"{shape.name.lower()}-{body.name}"


def graph_path(shape: Shape, body: Body) -> str:
    return f"/graphs/{NAMESPACE}/{graph_name(shape, body)}"


def manifests(origins: dict[Body, str]) -> str:
    """Every graph of the benchmark as one YAML stream (each document is JSON, which is YAML)."""
    documents = [
        _manifest(shape, body, origins[body] + body.path) for shape in SHAPES for body in BODIES
    ]
    return "".join(f"---\n{json.dumps(document)}\n" for document in documents)


def _manifest(shape: Shape, body: Body, url: str) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    for index in range(shape.steps):
        step: dict[str, Any] = {"name": f"step-{index}", "serviceUrl": url}
        match shape.kind:
            case "Sequence" if index:
                step["data"] = "$request"
            case "Splitter":
                step["weight"] = 100 // shape.steps
            case "Switch":  # the idiom of KServe's own samples; only the last matches what is sent
                step["condition"] = f'[@this].#(kind=="{"abcde"[index]}")'
            case _:
                pass
        steps.append(step)
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": graph_name(shape, body), "namespace": NAMESPACE},
        "spec": {"nodes": {"root": {"routerType": shape.kind, "steps": steps}}},
    }


def request_body(body: Body) -> bytes:
    """Valid JSON of exactly the size; `wrk.lua` builds the same."""
    head, tail = b'{"kind":"e","instances":["', b'"]}'
    return head + b"x" * (body.size_bytes - len(head) - len(tail)) + tail
