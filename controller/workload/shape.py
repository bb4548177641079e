"""What is to run for an InferenceService, whoever runs it: values only.

A workload has a component for each part of the service, a component a pod as a cluster would have
it. Models are URIs and the places where containers expect them; addresses are names. A backend
turns that into processes or objects, and says by `Terms` where its world differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from controller.resources.component import ComponentSpec
from controller.resources.core import Container, ContainerPort, PodSpec
from controller.resources.inferenceservice import StorageSpec
from graph.problems import Path

TRANSFORMER_CONTAINER = "transformer-container"
DEFAULT_PORT = 8080


class Role(StrEnum):
    """Each calls those before it."""

    PREDICTOR = "predictor"
    TRANSFORMER = "transformer"
    EXPLAINER = "explainer"


@dataclass(frozen=True, slots=True)
class Terms:
    """What differs between backends. The defaults are a cluster's."""

    predictor_host: str | None = None  # where others call it; None: the name of its Service
    http_port: str = str(DEFAULT_PORT)  # of transformers and explainers
    asks_model: bool = False  # is a model ready? By its protocol; else whether the port is open
    words_beside: bool = False  # ./x in a command lies beside its manifest


@dataclass(frozen=True, slots=True)
class Mount:
    """A model, and where the containers look for it."""

    path: str
    uri: str | None  # None: `storage` says it
    source: Path  # of the URI in the manifest
    storage: StorageSpec | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """The other nodes of a predictor that runs on several."""

    name: str
    pod: PodSpec
    nodes: int  # the head included
    head_gpus: int
    gpus: int  # of each worker
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Component:
    role: Role
    name: str  # of its objects: iris-predictor
    pod: PodSpec
    called: int  # which of the pod's containers gets the calls
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    mounts: tuple[Mount, ...]
    declared: ComponentSpec  # replicas, scaling, time limits, logger, batcher: as written
    source: Path  # of the container in the manifest
    worker: Worker | None = None
    grpc: bool = False  # callers use gRPC, on the port that is named for it
    # The protocol in which callers name one of its models; None: it has one of its own.
    many: str | None = None

    @property
    def container(self) -> Container:
        """The one that is called, on its first port."""
        found = self.pod.containers[self.called]
        if found.ports:
            return found
        return found.model_copy(update={"ports": (ContainerPort(container_port=DEFAULT_PORT),)})


@dataclass(frozen=True, slots=True)
class Workload:
    key: str  # namespace/name of the InferenceService
    runtime: str | None
    protocol: str  # that the predictor speaks
    components: tuple[Component, ...]  # in the order in which they start

    @property
    def predictor(self) -> Component:
        return self.components[0]

    @property
    def entry(self) -> Component:
        """Who gets the calls of a graph."""
        return next((c for c in self.components if c.role is Role.TRANSFORMER), self.predictor)
