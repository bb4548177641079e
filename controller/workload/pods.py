"""The pod of a component: a runtime's below what the service says. Pure.

Containers are merged by name, and their arguments are joined: a service adds to what a runtime
says. Placeholders are filled in where a runtime has a part.
"""

import os.path
from collections.abc import Iterable
from pathlib import Path as Folder

from controller.resources.core import (
    Container,
    EnvVar,
    HTTPGetAction,
    ObjectMeta,
    PodSpec,
    Probe,
    TCPSocketAction,
)
from controller.resources.parse import Declared
from controller.resources.resource import Resource
from controller.resources.servingruntime import SERVING_CONTAINER, ServingRuntimePodSpec
from controller.workload.merge import by_name, fields, merged
from controller.workload.placeholders import filled
from controller.workload.shape import DEFAULT_PORT, TRANSFORMER_CONTAINER, Terms
from graph.problems import Path, Problem

SERVICE_NAME = "INFERENCE_SERVICE_NAME"

# Of a runtime's pod; the rest (hostIPC above all) stays behind, as in KServe.
_CARRIED = (
    "affinity",
    "image_pull_secrets",
    "node_selector",
    "resource_claims",
    "scheduler_name",
    "tolerations",
    "volumes",
)

_PROBED = frozenset({SERVING_CONTAINER, TRANSFORMER_CONTAINER})


def joined(below: Container, above: Container) -> Container:
    found = merged(below, above)
    if below.args and above.args:
        return found.model_copy(update={"args": (*below.args, *above.args)})
    return found


def pod_of(said: PodSpec, runtime: ServingRuntimePodSpec | None = None) -> PodSpec:
    """Without its containers."""
    above = PodSpec(**fields(said, PodSpec) | {"containers": ()})
    if runtime is None:
        return above
    below = fields(runtime, PodSpec)
    return merged(PodSpec(**{name: below[name] for name in _CARRIED if name in below}), above)


def containers_of(
    runtime: Iterable[Container],
    serving: Container,
    own: Iterable[Container],
    meta: ObjectMeta,
    path: Path,
) -> list[Container] | list[Problem]:
    """The serving one first, then a transformer that shares its pod, then the others.

    `serving`: what the service says of the runtime's container of that name.
    """
    found = {container.name: container for container in runtime}
    for container in (serving, *own):
        below = found.get(container.name)
        found[container.name] = joined(below, container) if below else container
    first = [found.pop(name) for name in (serving.name, TRANSFORMER_CONTAINER) if name in found]
    problems: list[Problem] = []
    containers: list[Container] = []
    for container in first:
        made = filled(container, meta, path)
        if isinstance(made, list):
            problems += made
        else:
            containers.append(made)
    return problems or [*containers, *found.values()]


def named(containers: tuple[Container, ...], *, always: bool = False) -> tuple[Container, ...]:
    """Containers of one's own: the first one serves, and bears the name of those that do."""
    first, *others = containers
    if always or not first.name or not others:
        first = first.model_copy(update={"name": SERVING_CONTAINER})
    return (first, *others)


def called(containers: Iterable[Container]) -> int:
    """A transformer in the predictor's pod stands before it."""
    names = [container.name for container in containers]
    for name in (TRANSFORMER_CONTAINER, SERVING_CONTAINER):
        if name in names:
            return names.index(name)
    return 0


def with_service_name(container: Container, meta: ObjectMeta) -> Container:
    said = (EnvVar(name=SERVICE_NAME, value=meta.name),)
    return container.model_copy(update={"env": by_name(container.env, said)})


def with_readiness(container: Container, model_path: str | None = None) -> Container:
    """Without a probe of its own: the model at that path, else a connection to its first port."""
    if container.readiness_probe is not None or container.name not in _PROBED:
        return container
    port = container.ports[0].container_port if container.ports else DEFAULT_PORT
    ask = {"http_get": HTTPGetAction(path=model_path, port=port)}
    probe = Probe(
        **(ask if model_path else {"tcp_socket": TCPSocketAction(port=port)}),
        timeout_seconds=1,
        period_seconds=10,
        success_threshold=1,
        failure_threshold=3,
    )
    return container.model_copy(update={"readiness_probe": probe})


def placed(
    containers: Iterable[Container], of: Declared[Resource], terms: Terms
) -> tuple[Container, ...]:
    """Where a backend has the manifest at hand, words that begin with a dot and a slash lie beside
    it.
    """
    return tuple(_beside(c, of.folder) if terms.words_beside else c for c in containers)


def _beside(container: Container, folder: Folder) -> Container:
    def absolute(word: str) -> str:
        return os.path.normpath(folder / word) if word.startswith(("./", "../")) else word

    changes: dict[str, object] = {}
    if container.command:
        changes["command"] = tuple(map(absolute, container.command))
    if container.args:
        changes["args"] = tuple(map(absolute, container.args))
    if container.working_dir:
        changes["working_dir"] = absolute(container.working_dir)
    return container.model_copy(update=changes)
