"""InferenceService and runtimes -> the units that are to run, or why it can have none. Pure.

The one place where choosing a runtime, rendering and wiring meet. A unit is all that a backend
needs: equal units ask for the same thing, so that a comment in a manifest restarts nobody. What
only a backend knows (which runtimes it can run) comes in by `World`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from controller.endpoints import service_path
from controller.resources.containers import env_value
from controller.resources.core import Container
from controller.resources.inferenceservice import model_of
from controller.resources.parse import Runtime, Service
from controller.runtimes import Obstacle, Selection, no_obstacle, select
from controller.workload import Workload, workload
from graph.problems import Problem

# Each calls those before it: they start in this order, and end in the other.
PREDICTOR, TRANSFORMER, EXPLAINER = COMPONENTS = ("predictor", "transformer", "explainer")

INVALID = "InvalidPredictorSpec"

Packages = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One component of a service."""

    component: str
    workload: Workload
    replicas: int
    packages: Packages = None  # of its environment, for a backend without images
    predictor: str | None = None  # host and port that it is told of


@dataclass(frozen=True, slots=True)
class Wanted:
    """`units` can start now; what `waiting` names will, and says for what it waits."""

    components: tuple[str, ...]
    units: tuple[Unit, ...]
    path: str  # that a graph calls
    runtime: Runtime | None = None
    selection: Selection | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)

    @property
    def entry(self) -> str:
        """The component that callers talk to."""
        return TRANSFORMER if TRANSFORMER in self.components else PREDICTOR


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing can run of it as it is written. `reason` is KServe's word."""

    reason: str
    message: str
    problems: tuple[Problem, ...] = ()


def any_container(_: Service) -> str | None:
    return None


def no_packages(_service: Service, _runtime: Runtime | None) -> Packages:
    return None


@dataclass(frozen=True, slots=True)
class World:
    """The runtimes that there are, and what the backend says of running them."""

    runtimes: Sequence[Runtime]
    obstacle: Obstacle = no_obstacle
    own_obstacle: Callable[[Service], str | None] = any_container  # of containers of its own
    packages: Callable[[Service, Runtime | None], Packages] = no_packages


def desired(service: Service, world: World, predictor: str | None = None) -> Wanted | Refused:
    """`predictor`: where the predictor is called; None while nobody knows."""
    chosen = _choose(service, world)
    if isinstance(chosen, Refused):
        return chosen
    runtime, protocol, selection = chosen
    path = service_path(service.resource, world.runtimes)
    if isinstance(path, Problem):
        return _invalid([path])
    made = workload(service, runtime, protocol)
    if isinstance(made, list):
        return _invalid(made)
    unit = Unit(PREDICTOR, made, _replicas(service), world.packages(service, runtime))
    return Wanted((PREDICTOR,), (unit,), path, runtime, selection)


def _choose(
    service: Service, world: World
) -> tuple[Runtime | None, str, Selection | None] | Refused:
    predictor = service.resource.spec.predictor
    model = model_of(predictor)
    if model is None:
        if obstacle := world.own_obstacle(service):
            return Refused(INVALID, f"the container cannot run: {obstacle}")
        protocol = env_value(_first(service), "PROTOCOL")
        return None, protocol or "v1", None
    selection = select(
        model,
        service.resource.namespace,
        world.runtimes,
        worker_spec=predictor.worker_spec is not None,
        obstacle=world.obstacle,
    )
    if selection.chosen is None or selection.protocol is None:
        return Refused(selection.reason, selection.message)
    return selection.chosen, selection.protocol, selection


def _first(service: Service) -> Container:
    return service.resource.spec.predictor.containers[0]


def _replicas(service: Service) -> int:
    """Zero asks for scaling from nothing, which somebody else must do; until then one runs."""
    return max(1, service.resource.spec.predictor.min_replicas or 1)


def _invalid(problems: Sequence[Problem]) -> Refused:
    return Refused(INVALID, "; ".join(problem.message for problem in problems), tuple(problems))
