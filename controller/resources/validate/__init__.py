"""What a resource may say and still make no sense: KServe's admission, with every problem at once.

`problems_of` sees one resource, `problems_among` those around it, `problems_of_change` what it was
before. Where KServe's own rules are odd, `docs/kserve-differences.md` says what is asked instead.
The order of the checks is that of KServe. Who uses a cache that shall go is not asked here.
"""

from collections.abc import Callable, Iterable, Iterator

from controller.resources.config import Config
from controller.resources.inferenceservice import InferenceService
from controller.resources.localmodel import AnyLocalModelCache
from controller.resources.resource import Resource
from controller.resources.servingruntime import AnyServingRuntime
from controller.resources.storagecontainer import AnyStorageContainer
from controller.resources.trainedmodel import TrainedModel
from controller.resources.validate import (
    canary,
    environment,
    implementation,
    models,
    names,
    runtimes,
    scaling,
    storage,
    update,
    workers,
)
from controller.resources.validate.subject import Subject
from controller.resources.validate.surroundings import Surroundings
from graph.problems import Problem

__all__ = [
    "Surroundings",
    "problems_among",
    "problems_of",
    "problems_of_change",
]

SERVICE: tuple[Callable[[Subject], Iterable[Problem]], ...] = (
    names.service_name,
    scaling.autoscaler_class,
    environment.python_path,
    workers.several_nodes,
    environment.collocated_storage,
    implementation.container_names,
    storage.exclusive,
    storage.mount_paths,
    storage.confidential,
    implementation.one_each,
    implementation.model_format,
    implementation.custom_protocol,
    scaling.replicas,
    scaling.logger,
    scaling.autoscaling,
    canary.canaries,
)


def problems_of(resource: Resource, config: Config | None = None) -> list[Problem]:
    return list(_alone(resource, config))


def _alone(resource: Resource, config: Config | None) -> Iterator[Problem]:
    match resource:
        case InferenceService():
            subject = Subject(resource, config)
            for check in SERVICE:
                yield from check(subject)
        case TrainedModel():
            yield from models.trained_model(resource)
        case _:
            yield from names.dns_name(resource)
    match resource:
        case AnyServingRuntime():
            yield from runtimes.alone(resource)
        case AnyStorageContainer():
            yield from models.storage_container(resource)


def problems_among(resource: Resource, around: Surroundings) -> list[Problem]:
    """Of one that comes to the others; an older version of itself among them does not count."""
    match resource:
        case InferenceService():
            return list(storage.fetchable(Subject(resource), around.containers))
        case AnyServingRuntime():
            return list(runtimes.among(resource, around))
        case AnyLocalModelCache():
            return list(models.cache_among(resource, around))
    return []


def problems_of_change(old: Resource, new: Resource) -> list[Problem]:
    """Of an update; one that is being deleted may change as it likes."""
    return [] if old.metadata.deletion_timestamp else list(update.changed(old, new))
