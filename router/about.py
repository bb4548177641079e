"""What graphs say of themselves as models of the Open Inference Protocol: names, ready, metadata.

For every front that speaks the protocol. What a graph takes and gives is what its first and last
targets say of themselves, where they can be asked; that is remembered for a while.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from graph.effects import Answer, Reply
from graph.plan import Plan, PlanNode, Target
from graph.spec import Combine, RouterType
from router.config import EndpointSource
from router.plans import Plans
from router.probe import described
from router.readiness import Asking, Readiness, Tell, question

EXTENSIONS = ("binary_tensor_data",)
PLATFORM = "graphway"
REMEMBERED_S = 60.0
RETRIED_S = 5.0

Metadata = dict[str, Any]


@cache
def server() -> Metadata:
    try:
        installed = version("graphway")
    except PackageNotFoundError:  # run from a checkout
        installed = ""
    return {"name": "graphway", "version": installed, "extensions": list(EXTENSIONS)}


class About:
    def __init__(self, plans: Plans, upstream: Asking, now: Callable[[], float]) -> None:
        self._plans = plans
        self._upstream = upstream
        self._now = now
        self._readiness = Readiness(upstream, now)
        self._endpoints: Mapping[str, EndpointSource] = {}
        self._described: dict[str, _Described] = {}  # by target name

    def install(self, endpoints: Mapping[str, EndpointSource]) -> None:
        """The plans have been replaced, and this is where services are."""
        targets = [each for plan in self._plans.routes.plans.values() for each in plan.targets]
        self._endpoints = endpoints
        self._readiness.install(targets, endpoints)
        names = {target.name for target in targets}
        self._described = {name: each for name, each in self._described.items() if name in names}

    def names(self, plan: Plan | None) -> list[str]:
        """By which clients find this graph, or every graph."""
        routes = self._plans.routes
        return [routes.called(each) for each in ([plan] if plan else routes.plans.values())]

    def ready(self, plan: Plan | None, tell: Tell) -> None:
        """This graph, or every graph."""
        plans = [plan] if plan else list(self._plans.routes.plans.values())
        routes = self._plans.routes
        self._readiness.ask([t for each in plans for t in routes.targets(each)], tell)

    def metadata(self, plan: Plan, name: str, tell: Callable[[Metadata], None]) -> None:
        said: Metadata = {
            "name": name,
            "versions": [plan.revision],
            "platform": PLATFORM,
            "inputs": [],
            "outputs": [],
        }

        def last(target: Metadata) -> None:
            said["outputs"] = target.get("outputs", [])
            tell(said)

        def first(target: Metadata) -> None:
            said["inputs"] = target.get("inputs", [])
            self._describe(self._targets(plan.root, False, set()), last)

        self._describe(self._targets(plan.root, True, set()), first)

    def _targets(self, node: PlanNode, first: bool, seen: set[str]) -> Iterator[Target]:
        """Those that may get a request first, or whose answer may be the answer; of the steps of a
        Sequence only one is, and what an Ensemble answers is mostly of no target.
        """
        chosen = node.joining is not None and node.joining.combine is Combine.FIRST
        merged = node.kind is RouterType.ENSEMBLE and not chosen
        if node.address in seen or (merged and not first):
            return
        seen.add(node.address)
        steps = node.steps
        if node.kind is RouterType.SEQUENCE:
            steps = steps[:1] if first else steps[-1:]
        inner = self._plans.routes.inner
        for step in steps:
            target = step.target
            if step.node is not None:
                yield from self._targets(step.node, first, seen)
            elif target is not None and target.name in inner:
                yield from self._targets(inner[target.name].root, first, seen)
            elif target is not None:
                yield target

    def _describe(self, targets: Iterator[Target], tell: Callable[[Metadata], None]) -> None:
        """By the first of them that can be asked."""
        inner = self._plans.routes.inner
        for target in targets:
            if target.name in inner:
                continue
            asked = described(target, self._endpoints)
            if asked is None:
                continue
            known = self._described.get(target.name)
            if known is None or known.until < self._now():
                known = self._described[target.name] = _Described(self._now)
                self._upstream.start(question(asked, asked.v2), known.answered)
            known.ask(tell)
            return
        tell({})


class _Described:
    """What one target says, or those who wait for it."""

    __slots__ = ("_now", "_said", "_waiting", "until")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._said: Metadata = {}
        self._waiting: list[Callable[[Metadata], None]] | None = []  # None once it has answered
        self.until = float("inf")

    def ask(self, tell: Callable[[Metadata], None]) -> None:
        if self._waiting is None:
            tell(self._said)
        else:
            self._waiting.append(tell)

    def answered(self, answer: Answer) -> None:
        said: Any = answer.document.value if isinstance(answer, Reply) and answer.ok else None
        good = isinstance(said, dict)
        if good:
            self._said = {key: value for key, value in said.items() if isinstance(value, list)}
        self.until = self._now() + (REMEMBERED_S if good else RETRIED_S)
        waiting, self._waiting = self._waiting or [], None
        for tell in waiting:
            tell(self._said)
