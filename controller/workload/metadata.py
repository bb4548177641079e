"""Labels and annotations of what a component makes: the runtime's below the service's below the
component's own. Pure.
"""

from collections.abc import Mapping

from controller.resources.component import ComponentSpec
from controller.resources.config import Config
from controller.resources.core import ObjectMeta
from controller.resources.servingruntime import ServingRuntimePodSpec
from controller.workload.shape import Role

SERVICE = "serving.kserve.io/inferenceservice"
COMPONENT = "component"


def labels(
    runtime: ServingRuntimePodSpec | None,
    service: ObjectMeta,
    component: ComponentSpec,
    role: Role,
    config: Config,
) -> Mapping[str, str]:
    said = _without(service.labels | component.labels, config.disallowed_labels)
    return (
        (runtime.labels if runtime else {}) | said | {SERVICE: service.name, COMPONENT: role.value}
    )


def annotations(
    runtime: ServingRuntimePodSpec | None,
    service: ObjectMeta,
    component: ComponentSpec,
    config: Config,
) -> Mapping[str, str]:
    said = _without(service.annotations | component.annotations, config.disallowed_annotations)
    return (runtime.annotations if runtime else {}) | said


def _without(said: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if name not in names}
