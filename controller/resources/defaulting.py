"""What admission writes into an InferenceService before it is kept: KServe's defaults in order.

Pure. Framework keys become `model`, a lone container gets the serving container's name, and what
the configuration says of resources, tokens and cached models is filled in where nothing is said.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from controller.resources.annotations import (
    DEPLOYMENT_MODE,
    DISABLE_LOCAL_MODEL,
    KNATIVE,
    LOCAL_MODEL,
    LOCAL_MODEL_NAMESPACE,
    LOCAL_MODEL_PVC,
    LOCAL_MODEL_SOURCE,
    MODEL_FORMAT,
    MODEL_MESH,
    NODE_GROUP,
    OLDER_MODES,
)
from controller.resources.component import ComponentSpec
from controller.resources.config import Config, ResourceConfig
from controller.resources.core import Container, ResourceRequirements
from controller.resources.inferenceservice import (
    FRAMEWORKS,
    InferenceService,
    InferenceServiceSpec,
    PredictorSpec,
    model_of,
)
from controller.resources.localmodel import AnyLocalModelCache, LocalModelNamespaceCache
from controller.resources.model import Model
from controller.resources.servingruntime import SERVING_CONTAINER

# Formats whose servers speak V2 alone, where the manifest says `model`.
_V2_FORMATS = ("triton", "vLLM")

_M = TypeVar("_M", bound=Model)
_C = TypeVar("_C", bound=Container)
_S = TypeVar("_S", bound=ComponentSpec)


def defaulted(
    service: InferenceService,
    config: Config,
    caches: Iterable[AnyLocalModelCache] = (),
) -> InferenceService:
    annotations = dict(service.metadata.annotations)
    mode = annotations.get(DEPLOYMENT_MODE)
    if mode in OLDER_MODES:
        annotations[DEPLOYMENT_MODE] = OLDER_MODES[mode]
    elif mode is None and config.deployment_mode != KNATIVE:
        annotations[DEPLOYMENT_MODE] = config.deployment_mode
    spec = service.spec
    if annotations.get(DEPLOYMENT_MODE) != MODEL_MESH:
        spec = _with_model(spec)
        if (model := spec.predictor.model) is not None:
            annotations.setdefault(MODEL_FORMAT, model.model_format.name)
    spec = _components(spec, config)
    service = _set(service, spec=spec)
    if annotations != service.metadata.annotations:
        service = _set(service, metadata=_set(service.metadata, annotations=annotations))
    return _bound(service, caches) if config.local_model.enabled else service


def _with_model(spec: InferenceServiceSpec) -> InferenceServiceSpec:
    """`sklearn: {...}` is `model: {modelFormat: {name: sklearn}, ...}`. Where both are given, both
    stay, for validation to say so.
    """
    canaries = tuple(_set(c, predictor=_predictor(c.predictor)) for c in spec.canary)
    spec = _set(spec, predictor=_predictor(spec.predictor))
    return _set(spec, canary=canaries) if canaries else spec


def _predictor(predictor: PredictorSpec) -> PredictorSpec:
    frameworks = predictor.frameworks()
    if len(frameworks) == 1 and predictor.model is None:
        model = model_of(predictor)
        said = {name: getattr(predictor, name) for name in predictor.model_fields_set}
        kept = {name: value for name, value in said.items() if name not in FRAMEWORKS}
        return PredictorSpec.model_construct(**kept, model=model)
    model = predictor.model
    if model is not None and model.model_format.name in _V2_FORMATS and not model.protocol_version:
        return _set(predictor, model=_set(model, protocol_version="v2"))
    return predictor


def _components(spec: InferenceServiceSpec, config: Config) -> InferenceServiceSpec:
    predictor = spec.predictor
    if predictor.model is None and not predictor.frameworks():
        first = predictor.containers[:1]
        is_alone = len(predictor.containers) == 1
        renamed = is_alone or not all(container.name for container in first)
        predictor = _serving(predictor, config, rename=renamed)
    spec = _set(spec, predictor=_unmounted(predictor, config))
    if spec.transformer is not None:
        transformer = _serving(spec.transformer, config, rename=True)
        spec = _set(spec, transformer=_unmounted(transformer, config))
    if spec.explainer is not None:
        explainer = _serving(spec.explainer, config, rename=True)
        if (art := explainer.art) is not None:
            version = art.runtime_version or config.explainers.art.default_image_version
            art = _with_resources(art, config.inference_service.resource)
            explainer = _set(explainer, art=_set(art, runtime_version=version))
        spec = _set(spec, explainer=_unmounted(explainer, config))
    return spec


def _serving(component: _S, config: Config, *, rename: bool) -> _S:
    """The first container is the one that serves."""
    if not component.containers:
        return component
    first, *others = component.containers
    first = _with_resources(first, config.inference_service.resource)
    if rename and first.name != SERVING_CONTAINER:
        first = _set(first, name=SERVING_CONTAINER)
    return _set(component, containers=(first, *others))


def _with_resources(container: _C, given: ResourceConfig) -> _C:
    resources = container.resources or ResourceRequirements()
    limits = _filled(resources.limits, cpu=given.cpu_limit, memory=given.memory_limit)
    requests = _filled(resources.requests, cpu=given.cpu_request, memory=given.memory_request)
    if limits == resources.limits and requests == resources.requests:
        return container
    return _set(container, resources=_set(resources, limits=limits, requests=requests))


def _filled(said: Mapping[str, int | float | str], **given: str) -> dict[str, int | float | str]:
    return {**{name: value for name, value in given.items() if value}, **said}


def _unmounted(component: _S, config: Config) -> _S:
    """Without a token of the cluster, where its administrator wants none by default."""
    said = component.automount_service_account_token is not None
    if said or config.security.auto_mount_service_account_token:
        return component
    return _set(component, automount_service_account_token=False)


def _bound(service: InferenceService, caches: Iterable[AnyLocalModelCache]) -> InferenceService:
    """To the first cache that keeps its model: the namespace's before the cluster's."""
    meta = service.metadata
    labels = {k: v for k, v in meta.labels.items() if k not in (LOCAL_MODEL, LOCAL_MODEL_NAMESPACE)}
    marks = (LOCAL_MODEL_SOURCE, LOCAL_MODEL_PVC)
    annotations = {k: v for k, v in meta.annotations.items() if k not in marks}
    found = _cache(service, caches)
    if found is not None:
        group = meta.annotations.get(NODE_GROUP) or found.spec.node_groups[0]
        labels[LOCAL_MODEL] = found.name
        if isinstance(found, LocalModelNamespaceCache):
            labels[LOCAL_MODEL_NAMESPACE] = found.namespace
        annotations[LOCAL_MODEL_SOURCE] = found.spec.source_model_uri
        annotations[LOCAL_MODEL_PVC] = f"{found.name}-{group}"
    if labels == meta.labels and annotations == meta.annotations:
        return service
    return _set(service, metadata=_set(meta, labels=labels, annotations=annotations))


def _cache(
    service: InferenceService, caches: Iterable[AnyLocalModelCache]
) -> AnyLocalModelCache | None:
    model = model_of(service.spec.predictor)
    if model is None or not model.storage_uri:
        return None
    return cache_of(model.storage_uri, service.namespace, service.metadata.annotations, caches)


def cache_of(
    uri: str,
    namespace: str,
    annotations: Mapping[str, str],
    caches: Iterable[AnyLocalModelCache],
) -> AnyLocalModelCache | None:
    """The first that keeps this model: the namespace's before the cluster's. `annotations` are
    those of the service.
    """
    if DISABLE_LOCAL_MODEL in annotations:
        return None
    group = annotations.get(NODE_GROUP)
    visible = [
        cache
        for cache in caches
        if not isinstance(cache, LocalModelNamespaceCache) or cache.namespace == namespace
    ]
    visible.sort(key=lambda cache: not isinstance(cache, LocalModelNamespaceCache))
    for cache in visible:
        if keeps(cache, uri) and (group is None or group in cache.spec.node_groups):
            return cache
    return None


def keeps(cache: AnyLocalModelCache, uri: str) -> bool:
    """The model itself, or what lies below it."""
    return part_of(cache, uri) is not None


def part_of(cache: AnyLocalModelCache, uri: str) -> str | None:
    """Where below the cached model it lies; empty: it is that model. None: it is another one."""
    kept, wanted = cache.spec.source_model_uri.removesuffix("/"), uri.removesuffix("/")
    if wanted == kept:
        return ""
    return wanted.removeprefix(f"{kept}/") if wanted.startswith(f"{kept}/") else None


def _set(given: _M, /, **values: object) -> _M:
    return given.model_copy(update=values)
