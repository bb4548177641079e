"""InferenceService and runtimes -> the units that are to run, or why it can have none. Pure.

The one place where choosing a runtime, rendering and wiring meet. A unit is all that a backend
needs: equal units ask for the same thing, so that a comment in a manifest restarts nobody. What
only a backend knows (which runtimes it can run, how its world differs) comes in by `World`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from controller.endpoints import service_path, speaks_grpc
from controller.resources.annotations import EXPLAINER_RUNTIME
from controller.resources.codes import Code
from controller.resources.config import Config
from controller.resources.containers import env_value
from controller.resources.defaulting import defaulted
from controller.resources.inferenceservice import model_of, serves_many
from controller.resources.parse import Runtime, Service
from controller.runtimes import Obstacle, Selection, find, no_obstacle, select
from controller.workload import CLUSTER, Component, Role, Terms, workload
from controller.workload.shape import Workload
from graph.problems import Problem

INVALID = "InvalidPredictorSpec"

Packages = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One component of a service, as a backend gets it. Its name is unique within the service."""

    name: str  # predictor, v2-predictor; with the number of a revision once it has one
    component: Component
    replicas: int
    folder: Path  # where relative URIs begin
    packages: Packages = None  # of its environment, for a backend without images

    @property
    def role(self) -> Role:
        return self.component.role


@dataclass(frozen=True, slots=True)
class Wanted:
    """`units` can start now; what `waiting` names will, and says for what it waits."""

    roles: tuple[Role, ...]
    units: tuple[Unit, ...]
    path: str  # that a graph calls
    entry: Role  # whom callers talk to
    runtime: Runtime | None = None
    runtimes: tuple[Runtime, ...] = ()  # all that it was made with
    selection: Selection | None = None
    waiting: Mapping[Role, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing can run of it as it is written. `reason` is KServe's word."""

    reason: str
    problems: tuple[Problem, ...]
    selection: Selection | None = None

    @property
    def message(self) -> str:
        return "; ".join(problem.message for problem in self.problems)


SHIPPED = Config()


def nothing(_service: Service, _component: Component, _runtime: Runtime | None) -> list[Problem]:
    return []


def no_packages(_service: Service, _component: Component, _runtime: Runtime | None) -> Packages:
    return None


@dataclass(frozen=True, slots=True)
class World:
    """The runtimes that there are, and what the backend says of running them and other things."""

    runtimes: Sequence[Runtime] = ()
    config: Config = SHIPPED
    terms: Terms = CLUSTER
    obstacle: Obstacle = no_obstacle
    # A component, and the runtime that it has, if it has one.
    refuses: Callable[[Service, Component, Runtime | None], list[Problem]] = nothing
    packages: Callable[[Service, Component, Runtime | None], Packages] = no_packages
    needs_host: bool = False  # nobody can be told of a predictor before it has an address
    # A service that names no model gets a runtime made for that; KServe gives it one for a single
    # model, which its agent then feeds.
    prefers_many: bool = False


def desired(service: Service, world: World, host: str | None = None) -> Wanted | Refused:
    """`host`: where the predictor is called; None while nobody knows."""
    # What admission writes on a cluster; here manifests are kept as their authors wrote them.
    service = replace(service, resource=defaulted(service.resource, world.config))
    selection = _select(service, world)
    if selection is not None and selection.chosen is None:
        where = ("spec", "predictor")
        problem = Code.NO_RUNTIME.at(where, selection.message)
        return Refused(selection.reason, (problem,), selection)
    runtime = selection.chosen if selection is not None else None
    path = service_path(service.resource, world.runtimes)
    made = workload(
        service,
        runtime,
        _protocol(service, selection),
        explainer_runtime=_explainer_runtime(service, world),
        config=world.config,
        terms=world.terms if host is None else replace(world.terms, predictor_host=host),
    )
    problems = [path] if isinstance(path, Problem) else []
    if isinstance(made, list):
        return Refused(INVALID, (*problems, *made), selection)
    runtimes = {
        Role.PREDICTOR: runtime,
        Role.EXPLAINER: _explainer_runtime(service, world),
    }
    for component in made.components:
        problems += world.refuses(service, component, runtimes.get(component.role))
    if problems or isinstance(path, Problem):
        return Refused(INVALID, tuple(problems), selection)
    if speaks_grpc(service.resource, world.runtimes):
        made = replace(made, components=tuple(_by_grpc(made)))
    waits = world.needs_host and host is None
    units: list[Unit] = []
    waiting: dict[Role, str] = {}
    for component in made.components:
        if waits and component.role is not Role.PREDICTOR:
            waiting[component.role] = "waits for its predictor"
            continue
        packages = world.packages(service, component, runtimes.get(component.role))
        name = _name(service, component.role)
        units.append(Unit(name, component, _replicas(component), service.folder, packages))
    roles = tuple(component.role for component in made.components)
    used = tuple(each for each in runtimes.values() if each is not None)
    return Wanted(roles, tuple(units), path, made.entry.role, runtime, used, selection, waiting)


def _name(service: Service, role: Role) -> str:
    variant = service.resource.spec.predictor.name
    return f"{variant}-{role}" if variant and role is Role.PREDICTOR else role.value


def _select(service: Service, world: World) -> Selection | None:
    """None: it has containers of its own."""
    predictor = service.resource.spec.predictor
    model = model_of(predictor)
    if model is None:
        return None
    return select(
        model,
        service.resource.namespace,
        world.runtimes,
        worker_spec=predictor.worker_spec is not None,
        many=world.prefers_many and serves_many(predictor),
        obstacle=world.obstacle,
    )


def _protocol(service: Service, selection: Selection | None) -> str:
    if selection is not None:
        return selection.protocol or "v1"
    return env_value(service.resource.spec.predictor.containers[0], "PROTOCOL") or "v1"


def _explainer_runtime(service: Service, world: World) -> Runtime | None:
    name = service.resource.metadata.annotations.get(EXPLAINER_RUNTIME)
    return find(name, service.resource.namespace, world.runtimes) if name else None


def _replicas(component: Component) -> int:
    """To begin with: also what may go to zero first shows that it can run."""
    return max(1, component.declared.min_replicas or 1)


def _by_grpc(made: Workload) -> Iterator[Component]:
    for component in made.components:
        yield replace(component, grpc=component is made.entry)
