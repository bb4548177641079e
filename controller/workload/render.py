"""InferenceService, runtime and configuration -> Workload, or everything that is wrong with them.

Pure, and KServe's rules. Which runtime serves it is decided before.
"""

from controller.resources.annotations import EXPLAINER_RUNTIME
from controller.resources.codes import Code
from controller.resources.config import Config
from controller.resources.inferenceservice import ExplainerSpec
from controller.resources.parse import Runtime, Service
from controller.workload.callers import explainer_of, transformer_of
from controller.workload.predictor import predictor_name, predictor_of
from controller.workload.shape import Component, Terms, Workload
from graph.problems import Problem

CLUSTER = Terms()
SHIPPED = Config()


def workload(
    service: Service,
    runtime: Runtime | None,
    protocol: str,
    *,
    explainer_runtime: Runtime | None = None,
    config: Config = SHIPPED,
    terms: Terms = CLUSTER,
) -> Workload | list[Problem]:
    """`runtime` is None if the predictor has containers of its own. `explainer_runtime` is the one
    that the service's annotation names, if it does.
    """
    spec = service.resource.spec
    host = terms.predictor_host or f"{predictor_name(service)}.{service.resource.namespace}"
    made: list[Component | list[Problem]] = [
        predictor_of(service, runtime, protocol, config, terms)
    ]
    if spec.transformer is not None:
        made.append(transformer_of(service, spec.transformer, host, config, terms))
    if spec.explainer is not None:
        made.append(_explainer(service, spec.explainer, explainer_runtime, host, config, terms))
    problems = [problem for one in made if isinstance(one, list) for problem in one]
    if problems:
        return problems
    components = tuple(one for one in made if isinstance(one, Component))
    return Workload(service.key, runtime.name if runtime else None, protocol, components)


def _explainer(
    service: Service,
    said: ExplainerSpec,
    runtime: Runtime | None,
    host: str,
    config: Config,
    terms: Terms,
) -> Component | list[Problem]:
    wanted = service.resource.metadata.annotations.get(EXPLAINER_RUNTIME)
    if wanted is not None and runtime is None:
        path = ("metadata", "annotations", EXPLAINER_RUNTIME)
        message = f"there is no runtime {wanted} for the explainer; add it, or name another"
        return [Code.NO_RUNTIME.at(path, message)]
    return explainer_of(service, said, runtime, host, config, terms)
