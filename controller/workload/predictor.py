"""The predictor of an InferenceService: a runtime around its model, or containers of its own.

Pure, as the whole room.
"""

from dataclasses import replace

from controller.endpoints import model_name
from controller.resources.config import Config
from controller.resources.core import Container
from controller.resources.inferenceservice import (
    ModelSpec,
    PredictorSpec,
    has_storage,
    model_of,
    serves_many,
)
from controller.resources.parse import Runtime, Service
from controller.resources.servingruntime import SERVING_CONTAINER
from controller.server_types import server_type
from controller.workload import metadata
from controller.workload.defaults import with_defaults
from controller.workload.image import has_gpu, image_of
from controller.workload.merge import fields
from controller.workload.mounts import mounts_of, told_where
from controller.workload.multinode import workers
from controller.workload.pods import (
    called,
    containers_of,
    named,
    placed,
    pod_of,
    with_readiness,
    with_service_name,
)
from controller.workload.shape import Component, Role, Terms
from graph.problems import Path, Problem

PATH: Path = ("spec", "predictor")


def predictor_of(
    service: Service, runtime: Runtime | None, protocol: str, config: Config, terms: Terms
) -> Component | list[Problem]:
    """`runtime` is None if it has containers of its own."""
    model = model_of(service.resource.spec.predictor)
    if model is None or runtime is None:
        return _of_its_own(service, protocol, config, terms)
    return _served(service, model, runtime, protocol, config, terms)


def predictor_name(service: Service) -> str:
    """Of its objects; variants of one service live side by side."""
    variant = service.resource.spec.predictor.name
    return "-".join(filter(None, (service.name, variant, Role.PREDICTOR)))


def _of_its_own(service: Service, protocol: str, config: Config, terms: Terms) -> Component:
    meta, predictor = service.resource.metadata, service.resource.spec.predictor
    names = [container.name for container in predictor.containers]
    index = names.index(SERVING_CONTAINER) if SERVING_CONTAINER in names else 0
    source = (*PATH, "containers", index)
    mounts = mounts_of(predictor, PATH, None, predictor.containers[index], source)
    containers = tuple(
        with_readiness(with_service_name(told_where(container, mounts), meta))
        for container in named(placed(predictor.containers, service, terms))
    )
    return Component(
        role=Role.PREDICTOR,
        name=predictor_name(service),
        pod=pod_of(predictor).model_copy(update={"containers": containers}),
        called=called(containers),
        labels=metadata.labels(None, meta, predictor, Role.PREDICTOR, config),
        annotations=metadata.annotations(None, meta, predictor, config),
        mounts=mounts,
        declared=predictor,
        source=source,
        many=protocol if serves_many(predictor) else None,
    )


def _served(
    service: Service,
    model: ModelSpec,
    runtime: Runtime,
    protocol: str,
    config: Config,
    terms: Terms,
) -> Component | list[Problem]:
    predictor, spec = service.resource.spec.predictor, runtime.resource.spec
    source = _source(predictor)
    kind = server_type(runtime.resource)
    has_model = has_storage(predictor, model)
    meta, model = with_defaults(service.resource.metadata, model, kind, protocol, has_model)
    said = Container(**fields(model, Container) | {"name": runtime.resource.container.name})
    own = placed((said, *predictor.containers), service, terms)
    containers = containers_of(
        placed(spec.containers, runtime, terms), own[0], own[1:], meta, source
    )
    if problems := [item for item in containers if isinstance(item, Problem)]:
        return problems
    mounts = mounts_of(predictor, PATH, model, said, source)
    model_path = _ready_path(service, protocol) if terms.asks_model else None
    first, *others = (
        with_service_name(told_where(container, mounts), meta)
        for container in containers
        if isinstance(container, Container)
    )
    first = with_readiness(_built(first, model, kind), model_path)
    made = Component(
        role=Role.PREDICTOR,
        name=predictor_name(service),
        pod=pod_of(predictor, spec),
        called=called((first, *others)),
        labels=metadata.labels(spec, meta, predictor, Role.PREDICTOR, config),
        annotations=metadata.annotations(spec, meta, predictor, config),
        mounts=mounts,
        declared=predictor,
        source=source,
        many=protocol if serves_many(predictor) else None,
    )
    if predictor.worker_spec is not None:
        several = workers(meta, predictor, spec, first, mounts, config)
        if isinstance(several, list):
            return several
        first, worker = several
        made = replace(made, worker=worker)
    containers = [first, *map(with_readiness, others)]
    return replace(made, pod=made.pod.model_copy(update={"containers": tuple(containers)}))


def _built(container: Container, model: ModelSpec, kind: str) -> Container:
    if container.image is None:
        return container
    gpu = has_gpu(container.resources)
    image = image_of(container.image, model.runtime_version, kind, gpu)
    return container.model_copy(update={"image": image})


def _source(predictor: PredictorSpec) -> Path:
    named = next(iter(predictor.frameworks()), "model")
    return (*PATH, "model" if predictor.model is not None else named)


def _ready_path(service: Service, protocol: str) -> str | None:
    if serves_many(service.resource.spec.predictor):
        # Not /v2/health/ready: that is false while a model is loaded, and the others serve on.
        return "/v2/health/live"
    model = model_name(service.resource)
    match protocol:
        case "v1":
            return f"/v1/models/{model}"
        case "v2":
            return f"/v2/models/{model}/ready"
    return None
