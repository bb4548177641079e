"""Which graph a request is for, or which service, and how graphs are replaced under load.

New manifests are compiled beside the old plans, in a thread if one likes; only if all are good does
one assignment swap the table. A request takes its plan from the table once and keeps it, so a swap
touches nobody in flight.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graph.compiler import compile
from graph.plan import Plan, Target
from graph.problems import InvalidGraph
from graph.spec import InferenceGraph
from router.config import GraphSource

GRAPHS = b"/graphs/"
SERVICES = b"/services/"
# Distinct Host headers and the length of each; callers choose them, so the memory is bounded.
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
    """One generation of plans and services. Immutable but for its memory of hosts."""

    def __init__(self, plans: Iterable[Plan], services: Iterable[str], default: str | None) -> None:
        self.plans = {plan.key: plan for plan in plans}
        self.services = {key: Service.of(key) for key in services}
        self._by_path = {plan.key.encode(): plan for plan in self.plans.values()}
        self._by_label = {
            label.encode(): plan
            for plan in self.plans.values()
            for label in host_names(plan.namespace, plan.name)
        }
        self._service_by_path = {key.encode(): each for key, each in self.services.items()}
        self._service_by_label = _labelled(self.services.values())
        self._default = self.plans.get(default) if default else None
        self._hosts: dict[bytes, Plan | Service | None] = {}

    def find(self, path: bytes, host: bytes) -> Plan | Service | None:
        """`/graphs/<namespace>/<name>` or `/services/<namespace>/<name>` and below by path, others
        by host, where graphs come first, else the default graph.
        """
        if path.startswith(GRAPHS):
            parts = path.split(b"/", 4)
            return self._by_path.get(b"/".join(parts[2:4]))
        if path.startswith(SERVICES):
            parts = path.split(b"/", 4)
            return self._service_by_path.get(b"/".join(parts[2:4]))
        try:
            return self._hosts[host]
        except KeyError:
            plan = self._by_host(host)
            if len(self._hosts) < HOSTS_REMEMBERED and len(host) <= HOST_BYTES:
                self._hosts[host] = plan
            return plan

    def _by_host(self, host: bytes) -> Plan | Service | None:
        first, _, rest = host.lower().split(b":")[0].partition(b".")
        both = first + b"." + rest.split(b".", 1)[0]
        return (
            self._by_label.get(both)
            or self._by_label.get(first)
            or self._service_by_label.get(both)
            or self._service_by_label.get(first)
            or self._default
        )


def host_names(namespace: str, name: str) -> tuple[str, str]:
    """The beginnings of a Host header that mean this graph: as a cluster's DNS and as KServe's
    ingress write it.
    """
    return f"{name}.{namespace}", f"{name}-{namespace}"


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
    def __init__(self, *, default: str | None, compat: bool) -> None:
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
        return Compiled(plans, tuple(problems))

    def install(self, compiled: Compiled, services: Iterable[str] = ()) -> None:
        """Replace all graphs by these, which are good, and services by those of these keys."""
        names = tuple(services)
        if compiled.plans != self._sources or self.routes.services.keys() != set(names):
            self._sources = compiled.plans
            self.routes = Routes(compiled.plans.values(), names, self._default)
