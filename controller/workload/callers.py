"""Transformer and explainer: containers of one's own that call the predictor. Pure."""

from controller.resources.config import Config
from controller.resources.core import Container
from controller.resources.inferenceservice import ARTExplainerSpec, ExplainerSpec, TransformerSpec
from controller.resources.parse import Runtime, Service
from controller.workload import metadata
from controller.workload.merge import fields
from controller.workload.mounts import mounts_of, told_where
from controller.workload.placeholders import filled
from controller.workload.pods import (
    joined,
    named,
    placed,
    pod_of,
    with_readiness,
    with_service_name,
)
from controller.workload.shape import Component, Mount, Role, Terms
from controller.workload.wiring import art_flags, flags, wired
from graph.problems import Path, Problem


def transformer_of(
    service: Service, said: TransformerSpec, predictor_host: str, config: Config, terms: Terms
) -> Component:
    path: Path = ("spec", "transformer")
    source = (*path, "containers", 0)
    mounts = mounts_of(said, path, None, said.containers[0], source)
    first, *others = named(placed(said.containers, service, terms), always=True)
    first = told_where(with_service_name(first, service.resource.metadata), mounts)
    first = wired(first, flags(service.name, predictor_host, terms.http_port, said))
    containers = (first, *(told_where(container, mounts) for container in others))
    return _component(Role.TRANSFORMER, service, said, None, containers, mounts, source, config)


def explainer_of(
    service: Service,
    said: ExplainerSpec,
    runtime: Runtime | None,
    predictor_host: str,
    config: Config,
    terms: Terms,
) -> Component | list[Problem]:
    """`runtime`: of an explainer whose container leaves the rest to one."""
    path: Path = ("spec", "explainer")
    added = list(flags(service.name, predictor_host, terms.http_port, said))
    if said.art is not None:
        source: Path = (*path, "art")
        own = placed((_art(said.art, config),), service, terms)
        mounts = mounts_of(said, path, said.art, own[0], source)
        added += art_flags(said.art)
    else:
        source = (*path, "containers", 0)
        own = named(placed(said.containers, service, terms), always=True)
        mounts = mounts_of(said, path, None, said.containers[0], source)
    first, *others = own
    if runtime is not None:
        # Its words come first, then what it stands before: an explainer's own may end in a
        # command with words of its own.
        below = placed((runtime.resource.container,), runtime, terms)[0]
        below = below.model_copy(update={"name": first.name})
        made = filled(
            joined(wired(below, added, first.args), first), service.resource.metadata, source
        )
        if isinstance(made, list):
            return made
        first = made
    elif said.art is not None:
        first = joined(wired(first.model_copy(update={"args": ()}), added, first.args), first)
    else:
        first = wired(first, added)
    containers = tuple(told_where(container, mounts) for container in (first, *others))
    return _component(Role.EXPLAINER, service, said, runtime, containers, mounts, source, config)


def _art(art: ARTExplainerSpec, config: Config) -> Container:
    build = config.explainers.art
    container = Container(**fields(art, Container) | {"name": "kserve-container"})
    if container.image is not None:
        return container
    image = f"{build.image}:{art.runtime_version or build.default_image_version}"
    return container.model_copy(update={"image": image})


def _component(
    role: Role,
    service: Service,
    said: TransformerSpec | ExplainerSpec,
    runtime: Runtime | None,
    containers: tuple[Container, ...],
    mounts: tuple[Mount, ...],
    source: Path,
    config: Config,
) -> Component:
    meta, below = service.resource.metadata, runtime.resource.spec if runtime else None
    return Component(
        role=role,
        name=f"{service.name}-{role}",
        pod=pod_of(said, below).model_copy(
            update={"containers": tuple(map(with_readiness, containers))}
        ),
        called=0,
        labels=metadata.labels(below, meta, said, role, config),
        annotations=metadata.annotations(below, meta, said, config),
        mounts=mounts,
        declared=said,
        source=source,
    )
