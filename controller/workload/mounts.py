"""The models of a component: what is to be where before its containers start. Pure."""

from collections.abc import Sequence

from controller.resources.component import MODEL_MOUNT, ComponentSpec
from controller.resources.containers import env_value
from controller.resources.core import Container, EnvVar
from controller.resources.inferenceservice import ARTExplainerSpec, PredictorExtensionSpec
from controller.workload.merge import by_name
from controller.workload.shape import Mount
from graph.problems import Path

STORAGE_URI = "STORAGE_URI"


def mounts_of(
    component: ComponentSpec,
    path: Path,
    model: PredictorExtensionSpec | ARTExplainerSpec | None,
    container: Container,
    source: Path,
) -> tuple[Mount, ...]:
    """`path`: of the component. `source`: of `model` or else of the container, in the manifest."""
    found = [
        Mount(item.mount_path, item.uri, (*path, "storageUris", index, "uri"))
        for index, item in enumerate(component.storage_uris)
    ]
    if model is not None:
        if model.storage_uri:
            found.append(Mount(MODEL_MOUNT, model.storage_uri, (*source, "storageUri")))
        elif model.storage is not None:
            found.append(Mount(MODEL_MOUNT, None, (*source, "storage"), model.storage))
    elif uri := env_value(container, STORAGE_URI):
        found.append(Mount(MODEL_MOUNT, uri, (*source, "env")))
    return tuple(found)


def told_where(container: Container, mounts: Sequence[Mount]) -> Container:
    """Who asks for the URI by its environment gets the place instead."""
    if not mounts or env_value(container, STORAGE_URI) is None:
        return container
    place = EnvVar(name=STORAGE_URI, value=MODEL_MOUNT)
    return container.model_copy(update={"env": by_name(container.env, (place,))})
