"""Which graph a request is for, or which service, and how graphs are replaced under load.

New manifests are compiled beside the old plans, in a thread if one likes; only if all are good does
one assignment swap the table. A request takes its plan from the table once and keeps it, so a swap
touches nobody in flight.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from graph.compiler import compile
from graph.inner import inner_graph, loops
from graph.plan import Plan, Target
from graph.problems import InvalidGraph
from graph.spec import InferenceGraph
from graph.wording import shown, trail
from router.config import GraphSource

GRAPHS = b"/graphs/"
SERVICES = b"/services/"
V1_MODELS = b"/v1/models/"
V2_MODELS = b"/v2/models/"
_MODELS = (V1_MODELS, V2_MODELS)
_BY_PATH = (GRAPHS, SERVICES)
# Distinct Host headers and the length of each: callers choose them, so the memory is bounded. So is
# that of paths.
HOSTS_REMEMBERED = 1024
HOST_BYTES = 264  # a name has 253 at most, and a port behind it


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the endpoint table, which callers may ask without a graph."""

    key: str  # namespace/name
    target: Target

    @classmethod
    def of(cls, key: str) -> "Service":
        return cls(key, Target(f"service:{key}", None))


class Routes:
    """One generation of plans and services. Immutable but for its memory of hosts and paths."""

    def __init__(
        self,
        plans: Iterable[Plan],
        services: Iterable[str],
        default: str | None,
        port: int = 0,
    ) -> None:
        self.plans = {plan.key: plan for plan in plans}
        self.services = {key: Service.of(key) for key in services}
        self.inner = self._inner(port)  # by URL: targets that are graphs of this table
        self._by_path = {plan.key.encode(): plan for plan in self.plans.values()}
        self._by_label = {
            label.encode(): plan
            for plan in self.plans.values()
            for label in host_names(plan.namespace, plan.name)
        }
        self._service_by_path = {key.encode(): each for key, each in self.services.items()}
        self._service_by_label = _labelled(self.services.values())
        self._by_model = _by_model(self._by_path.values())
        self._default = self.plans.get(default) if default else None
        self._hosts: dict[bytes, Plan | Service | None] = {}
        self._models: dict[bytes, Plan | None] = {}  # by path
        self._paths: dict[bytes, Plan | Service] = {}  # where nothing else has a say

    def find(self, path: bytes, host: bytes, model: bytes = b"") -> Plan | Service | None:
        """`/graphs/<namespace>/<name>` or `/services/<namespace>/<name>` and below by path, others
        by host, where graphs come first, else by the model that the message (`model`) or the path
        names, else the default graph.
        """
        found = self._paths.get(path)
        if found is not None:
            return found
        if path.startswith(_BY_PATH):
            key = b"/".join(path.split(b"/", 4)[2:4])
            table = self._by_path if path.startswith(GRAPHS) else self._service_by_path
            found = table.get(key)
            if found is not None and len(self._paths) < HOSTS_REMEMBERED and len(path) < HOST_BYTES:
                self._paths[path] = found
            return found
        try:
            found = self._hosts[host]
        except KeyError:
            found = self._by_host(host)
            if len(self._hosts) < HOSTS_REMEMBERED and len(host) <= HOST_BYTES:
                self._hosts[host] = found
        if found is not None:
            return found
        if model and (plan := self._by_model.get(model)) is not None:
            return plan
        if path.startswith(_MODELS):
            try:
                named = self._models[path]
            except KeyError:
                named = self._named(path)
                if len(self._models) < HOSTS_REMEMBERED and len(path) <= HOST_BYTES:
                    self._models[path] = named
            if named is not None:
                return named
        return self._default

    def targets(self, plan: Plan) -> list[Target]:
        """All that a request of a graph may ask beyond this router."""
        found: dict[str, Target] = {}
        waiting = [plan]
        while waiting:  # graphs do not call one another in circles
            for target in waiting.pop().targets:
                if target.name in self.inner:
                    waiting.append(self.inner[target.name])
                else:
                    found[target.name] = target
        return list(found.values())

    def _inner(self, port: int) -> dict[str, Plan]:
        graphs = self.plans.keys() - self.services.keys()  # a service of that name has the host
        found: dict[str, Plan] = {}
        others: set[str] = set()  # a service of a graph's name: that graph's own use of it tells
        for plan in self.plans.values():
            for target in plan.targets:
                key = target.url and inner_graph(target.url, graphs, port, plan.key)
                if key:
                    found[target.name] = self.plans[key]
                elif target.url:
                    others.add(target.name)
        return {name: plan for name, plan in found.items() if name not in others}

    def called(self, plan: Plan) -> str:
        """By which name of a model the graph is found."""
        return plan.name if self._by_model.get(plan.name.encode()) is plan else plan.key

    def _named(self, path: bytes) -> Plan | None:
        """NAME of /v1/models/NAME... or /v2/models/NAME..., where it may be NAMESPACE/NAME."""
        parts = path[len(V1_MODELS) :].split(b"/", 2)
        names = [unquote_to_bytes(part.split(b":", 1)[0]) for part in parts[:2]]
        return self._by_model.get(names[0]) or self._by_model.get(b"/".join(names))

    def _by_host(self, host: bytes) -> Plan | Service | None:
        first, _, rest = host.lower().split(b":")[0].partition(b".")
        both = first + b"." + rest.split(b".", 1)[0]
        return (
            self._by_label.get(both)
            or self._by_label.get(first)
            or self._service_by_label.get(both)
            or self._service_by_label.get(first)
        )


def host_names(namespace: str, name: str) -> tuple[str, str]:
    """The beginnings of a Host header that mean this graph: as a cluster's DNS and as KServe's
    ingress write it.
    """
    return f"{name}.{namespace}", f"{name}-{namespace}"


def _by_model(plans: Iterable[Plan]) -> dict[bytes, Plan]:
    """Graphs by their keys, and by their names alone where that means one of them."""
    named: dict[bytes, list[Plan]] = {}
    for plan in plans:
        named.setdefault(plan.name.encode(), []).append(plan)
    found = {name: each[0] for name, each in named.items() if len(each) == 1}
    return found | {plan.key.encode(): plan for each in named.values() for plan in each}


def _labelled(services: Iterable[Service]) -> dict[bytes, Service]:
    """Services by the beginnings of their hosts, also those of their parts. What two services could
    mean leads to neither: a wrong model that answers is worse than none.
    """
    found: dict[bytes, Service] = {}
    for parts in ("",), ("-predictor", "-transformer"):
        claims: dict[bytes, list[Service]] = {}
        for service in services:
            namespace, _, name = service.key.partition("/")
            for part in parts:
                for label in host_names(namespace, name + part):
                    claims.setdefault(label.encode(), []).append(service)
        for claimed, claimants in claims.items():
            if len(claimants) == 1:
                found.setdefault(claimed, claimants[0])
    return found


def below(path: bytes) -> bytes:
    """What a graph or a service is asked for: the path below its own, or all of it where the host,
    say, led there.
    """
    if not path.startswith((GRAPHS, SERVICES)):
        return path
    parts = path.split(b"/", 4)
    return b"/" + parts[4] if len(parts) > 4 else b"/"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of some manifests: a plan of each, or what is wrong, in words."""

    plans: Mapping[GraphSource, Plan]
    problems: tuple[str, ...] = ()


class Plans:
    def __init__(self, *, default: str | None, compat: bool, port: int = 0) -> None:
        self._port = port
        self._default = default
        self._compat = compat
        self._sources: Mapping[GraphSource, Plan] = {}
        self.routes = Routes((), (), default)

    def compiled(self, graphs: Iterable[GraphSource]) -> Compiled:
        """Changes nothing, so it may run beside the loop."""
        problems: list[str] = []
        plans: dict[GraphSource, Plan] = {}
        for source in graphs:
            plan = self._sources.get(source)  # unchanged ones are not compiled again
            if plan is None:
                try:
                    manifest = InferenceGraph.model_validate_json(source.manifest)
                    plan = compile(manifest, compat=self._compat)
                except InvalidGraph as invalid:
                    problems += [f"{source.key}: {p.code}: {p.message}" for p in invalid.problems]
                    continue
                except ValueError as error:
                    problems.append(f"{source.key}: {error}")
                    continue
            plans[source] = plan
        problems += self._loops(plans.values())
        return Compiled(plans, tuple(problems))

    def install(self, compiled: Compiled, services: Iterable[str] = ()) -> None:
        """Replace all graphs by these, which are good, and services by those of these keys."""
        names = tuple(services)
        if compiled.plans != self._sources or self.routes.services.keys() != set(names):
            self._sources = compiled.plans
            self.routes = Routes(compiled.plans.values(), names, self._default, self._port)

    def _loops(self, plans: Iterable[Plan]) -> list[str]:
        by_key = {plan.key: plan for plan in plans}
        calls = {
            key: {
                found: target
                for target in plan.targets
                if target.url and (found := inner_graph(target.url, by_key, self._port, key))
            }
            for key, plan in by_key.items()
        }
        problems = []
        for loop in loops(calls):
            caller, called = loop[-2:]
            target = calls[caller][called]
            problems.append(
                f"graphs call one another in a circle: {trail(loop)}; step"
                f" {_step(by_key[caller], target)} leads back by its serviceUrl"
                f" {shown(target.url or '')}: lead it elsewhere"
            )
        return problems


def _step(plan: Plan, target: Target) -> str:
    """The address of the first step that calls a target."""
    waiting = [plan.root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        seen.add(id(node))
        for step in node.steps:
            if step.target is target:
                return step.address
        waiting += [s.node for s in node.steps if s.node is not None and id(s.node) not in seen]
    raise AssertionError(target.name)
