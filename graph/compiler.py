"""spec -> Plan, or InvalidGraph with every problem.

Each node is lowered once, children first, however many steps lead to it; the order comes from a
walk without recursion, so a manifest decides neither stack depth nor time beyond its own size.
"""

from hashlib import blake2b

import msgspec

from graph.chaining import JSON
from graph.checks.chain import check
from graph.checks.data import mapping_texts
from graph.checks.shape import Shape
from graph.choose import salt
from graph.conditions import Condition
from graph.document import Document
from graph.effects import Headers
from graph.headers import CONTENT_TYPE, HeaderEdit, headers_of
from graph.kinds import KINDS
from graph.mapping import PREFIX as MAPPED
from graph.mapping import Mapping, compile_mapping
from graph.plan import Answering, Extra, Joining, Plan, PlanNode, PlanStep, Target, Timeouts
from graph.problems import InvalidGraph, Severity
from graph.spec import (
    Combine,
    Dependency,
    GraphSpec,
    InferenceGraph,
    Metadata,
    Node,
    Respond,
    RouterTimeouts,
    RouterType,
    Step,
)

COMPAT_ANNOTATION = "graphway.dev/compat"
TEXT: Headers = ((b"content-type", b"text/plain; charset=utf-8"),)


def compile(graph: InferenceGraph | GraphSpec, *, compat: bool = False) -> Plan:
    """The plan of a manifest, or of a bare spec, which is then called `default/graph`. `compat`
    asks for KServe's outcomes and status codes, as the annotation does.

    Raises InvalidGraph if `check` finds an error; warnings do not stop it.
    """
    if isinstance(graph, GraphSpec):
        graph = InferenceGraph(metadata=Metadata(name="graph"), spec=graph)
    errors = [problem for problem in check(graph) if problem.severity is Severity.ERROR]
    if errors:
        raise InvalidGraph(errors)
    annotations = graph.metadata.annotations or {}
    compat = compat or annotations.get(COMPAT_ANNOTATION) == "kserve"
    timeouts = graph.spec.router_timeouts or RouterTimeouts()
    lowering = _Lowering(graph, timeouts.service_client, compat)
    root = lowering.root()
    name = revision(graph.spec)
    return Plan(
        namespace=graph.namespace,
        name=graph.metadata.name,
        key=graph.key,
        revision=name,
        revision_bytes=name.encode(),
        root=root,
        targets=tuple(lowering.targets.values()),
        timeouts=_timeouts(timeouts, graph.spec.timeout),
        compat=compat,
        forwards=any(step.forwards for node in lowering.done.values() for step in node.steps),
        propagated=graph.spec.propagate_headers or (),
        records=bool(lowering.recorded),
        streams=root.streams,
        needs_caller=root.needs_caller,
        partial=any(node.joining is not None for node in lowering.done.values()),
    )


def revision(spec: GraphSpec) -> str:
    """Eight hex digits that name what the spec says: equal specs, equal revisions, whatever their
    spelling and the order of their keys.
    """
    said = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return blake2b(msgspec.json.encode(said, order="sorted"), digest_size=4).hexdigest()


def _timeouts(given: RouterTimeouts, request: int | None) -> Timeouts:
    return Timeouts(
        read_s=_seconds(given.server_read, 60),
        answer_s=_seconds(given.server_write, 60),
        idle_s=_seconds(given.server_idle, 180),
        whole_s=_seconds(request, 0),
    )


def _seconds(given: int | None, default: int) -> float | None:
    value = default if given is None else given
    return float(value) if value > 0 else None  # 0 and below mean none, as in Go's net/http


class _Lowering:
    """One compilation: nodes by name as they are done, targets by name as they are met."""

    def __init__(self, graph: InferenceGraph, timeout_s: int | None, compat: bool) -> None:
        self.key = graph.key
        self.namespace = graph.namespace
        self.nodes = graph.spec.nodes
        self.timeout_s = _seconds(timeout_s, 0)
        self.compat = compat
        self.mappings = _mappings(graph.spec)
        self.recorded = frozenset[str]().union(*(m.names.steps for m in self.mappings.values()))
        self.done: dict[str, PlanNode] = {}
        self.targets: dict[str, Target] = {}

    def root(self) -> PlanNode:
        stack = ["root"]
        while stack:  # depth first without recursion; check has refused cycles
            name = stack[-1]
            waiting = [child for child in self._children(name) if child not in self.done]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if name not in self.done:
                self.done[name] = self._node(name, self.nodes[name])
        return self.done["root"]

    def _children(self, name: str) -> list[str]:
        return [step.node_name for step in self.nodes[name].steps or () if step.node_name]

    def _node(self, name: str, node: Node) -> PlanNode:
        address = f"{self.key}/{_part(name)}"
        steps = node.steps or ()
        lowered = KINDS[node.router_type].lower(steps)
        planned = tuple(
            self._step(address, index, step, condition, node.router_type)
            for index, (step, condition) in enumerate(zip(steps, lowered.conditions, strict=True))
        )
        children = [step.node for step in planned]
        extras = [step.extra for step in planned if step.extra is not None]
        fed = None if lowered.passes is None else [children[index] for index in lowered.passes]
        if extras:
            fed = None  # what is looked into, recorded or left unread is no stream
        return PlanNode(
            address=address,
            kind=node.router_type,
            steps=planned,
            cumulative=lowered.cumulative,
            salt=salt(address),
            compat=self.compat,
            joining=_joining(node),
            reads_body=lowered.reads_body or any(map(_reads_body, extras)),
            streams=fed is not None and all(child is None or child.streams for child in fed),
            needs_caller=any(c is not None and c.needs_caller for c in lowered.conditions)
            or any(map(_needs_caller, extras))
            or any(child is not None and child.needs_caller for child in children)
            or any(step.forwards for step in planned)
            or any(step.headers is not None and step.headers.needs_caller for step in planned),
        )

    def _step(
        self, node: str, index: int, step: Step, condition: Condition | None, kind: RouterType
    ) -> PlanStep:
        key = step.name or str(index)
        if condition is not None:
            condition.node, condition.step = node, key
        chained = kind is RouterType.SEQUENCE
        return PlanStep(
            address=f"{node}/{_part(key)}",
            key=key,
            label=msgspec.json.encode(key) + b":",
            target=self._target(step),
            node=self.done[step.node_name] if step.node_name else None,
            hard=step.dependency == Dependency.HARD,
            takes_response=chained and step.data == "$response",
            maps_predictions=chained and bool(step.map_predictions_to_instances),
            forwards=step.forward is not None,
            condition=condition,
            timeout_s=self.timeout_s,
            headers=HeaderEdit(step.headers) if step.headers is not None else None,
            extra=self._extra(step),
        )

    def _extra(self, step: Step) -> Extra | None:
        extra = Extra(
            data=self.mappings.get(step.data or "") if step.respond is None else None,
            respond=self._answering(step.respond),
            recorded=step.name in self.recorded,
        )
        some = extra.data is not None or extra.respond is not None or extra.recorded
        return extra if some else None

    def _answering(self, respond: Respond | None) -> Answering | None:
        if respond is None:
            return None
        body: Document | Mapping
        kind = JSON
        if not isinstance(respond.body, str):
            written = b"" if respond.body is None else msgspec.json.encode(respond.body)
            body, kind = Document(written), JSON if written else ()
        elif respond.body.startswith(MAPPED):
            body = self.mappings[respond.body]
        else:
            body, kind = Document(respond.body.encode()), TEXT
        headers = headers_of(respond.headers or {})
        if any(name == CONTENT_TYPE for name, _ in headers):
            kind = ()
        return Answering(respond.status, kind + headers, body)

    def _target(self, step: Step) -> Target | None:
        if step.service_url:
            target = Target(step.service_url, step.service_url)
        elif not step.service_name:
            return None
        else:
            target = Target(f"service:{self.namespace}/{step.service_name}", None)
        return self.targets.setdefault(target.name, target)


def _joining(node: Node) -> Joining | None:
    if node.router_type is not RouterType.ENSEMBLE or not (
        node.combine or node.quorum or node.deadline_seconds
    ):
        return None
    return Joining(
        combine=node.combine,
        quorum=0 if node.combine is Combine.FIRST else node.quorum or 0,
        deadline_s=node.deadline_seconds or None,
        weights=tuple(step.weight or 0 for step in node.steps or ()),
    )


def _mappings(spec: GraphSpec) -> dict[str, Mapping]:
    """By text, of nodes that requests come to; there check has found each to be good."""
    nodes = [spec.nodes[name] for name in Shape(spec).reachable]
    steps = [step for node in nodes for step in node.steps or ()]
    texts = {text for step in steps for _, text in mapping_texts(step)}
    return {text: compile_mapping(text) for text in texts}


def _reads_body(extra: Extra) -> bool:
    return extra.recorded or any("request" in each.names.roots for each in _mappings_of(extra))


def _needs_caller(extra: Extra) -> bool:
    return any("headers" in each.names.roots for each in _mappings_of(extra))


def _mappings_of(extra: Extra) -> list[Mapping]:
    body = None if extra.respond is None else extra.respond.body
    return [each for each in (extra.data, body) if isinstance(each, Mapping)]


def _part(name: str) -> str:
    """Of an address, whose parts metrics tell apart by the slashes between them."""
    return name.replace("/", "%2F")
