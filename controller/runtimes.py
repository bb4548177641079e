"""Which ServingRuntime serves an InferenceService, and why each of the others does not.

Pure, and KServe's rules: an explicit runtime is taken at its word once it fits; otherwise those
that fit are ranked. A backend adds one rule of its own by `obstacle`: a runtime that it cannot run
is passed over with that reason.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controller.ranking import best_protocol, difference, ranked
from controller.resources.inferenceservice import ModelSpec
from controller.resources.parse import Runtime
from controller.resources.servingruntime import AnyServingRuntime, SupportedModelFormat
from controller.server_types import default_protocol

_V2_FORMATS = frozenset({"triton", "vLLM"})  # V2 unless the service says otherwise

Obstacle = Callable[[Runtime], str | None]


def no_obstacle(_: Runtime) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class PassedOver:
    runtime: Runtime
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """`chosen` with the protocol that it will speak and `why`, or else `reason` (KServe's word) and
    `message`.
    """

    chosen: Runtime | None
    protocol: str | None
    passed_over: tuple[PassedOver, ...] = ()  # those that came closest first
    reason: str = ""
    message: str = ""
    why: str = ""


def protocol_of(model: ModelSpec) -> str | None:
    """That it asks for."""
    by_format = "v2" if model.model_format.name in _V2_FORMATS else None
    return model.protocol_version or by_format


def find(name: str, namespace: str, runtimes: Iterable[Runtime]) -> Runtime | None:
    """By name: the namespace's before the cluster's."""
    named = [r for r in runtimes if r.name == name and _visible(r, namespace)]
    return min(named, key=lambda r: r.resource.is_cluster_wide, default=None)


def select(
    model: ModelSpec,
    namespace: str,
    runtimes: Iterable[Runtime],
    *,
    worker_spec: bool = False,
    many: bool = False,
    obstacle: Obstacle = no_obstacle,
) -> Selection:
    """`many`: the service names no model, so its server is to load what it is told later."""
    everybody = list(runtimes)
    visible = [runtime for runtime in everybody if _visible(runtime, namespace)]
    elsewhere = tuple(
        PassedOver(runtime, f"only the namespace {runtime.resource.namespace} sees it")
        for runtime in everybody
        if not _visible(runtime, namespace)
    )
    if model.runtime is not None:
        return _explicit(model, model.runtime, namespace, visible, elsewhere, obstacle)
    protocol = protocol_of(model) or "v1"
    fitting: list[Runtime] = []
    unfit: list[PassedOver] = []
    for runtime in visible:
        reason = _automatic_obstacle(model, protocol, runtime.resource, worker_spec, many)
        reason = reason or obstacle(runtime)
        if reason is None:
            fitting.append(runtime)
        else:
            unfit.append(PassedOver(runtime, reason))
    kind = model.model_format.name
    unfit.sort(key=lambda passed: not _serves(passed.runtime, kind))
    if not fitting:
        return _nobody(model, protocol, (*unfit, *elsewhere), many)
    chosen, *others = ranked(fitting, kind)
    beaten = [PassedOver(other, difference(chosen, other, kind)) for other in others]
    why = f"the first of {len(fitting)} that fit" if beaten else "the only one that fits"
    best = best_protocol(chosen.resource) or protocol
    said = protocol_of(model) or best
    return Selection(chosen, said, (*beaten, *unfit, *elsewhere), why=why)


def _explicit(
    model: ModelSpec,
    name: str,
    namespace: str,
    visible: list[Runtime],
    elsewhere: tuple[PassedOver, ...],
    obstacle: Obstacle,
) -> Selection:
    runtime = find(name, namespace, visible)
    others = tuple(
        PassedOver(other, f"the service names {name}")
        if other.name != name
        else PassedOver(other, "there is one of this name in the namespace")
        for other in visible
        if other is not runtime
    )
    if runtime is None:
        known = ", ".join(sorted({other.name for other in visible})) or "none"
        message = f"there is no runtime {name}; known are: {known}"
        return Selection(None, None, (*others, *elsewhere), "RuntimeNotRecognized", message)
    fault = _explicit_obstacle(model, runtime, obstacle)
    if fault is not None:
        word, reason = fault
        passed_over = (PassedOver(runtime, reason), *others, *elsewhere)
        message = f"runtime {name} cannot serve it: {reason}; name another runtime, or none"
        return Selection(None, None, passed_over, word, message)
    protocol = protocol_of(model) or _protocol_when_named(runtime.resource)
    return Selection(runtime, protocol, (*others, *elsewhere), why="the service names it")


def _protocol_when_named(runtime: AnyServingRuntime) -> str:
    """Of a service that asks for none: the first that a graph can call, as it lists them."""
    preferred = default_protocol(runtime)
    if preferred is not None and _speaks(runtime, preferred):
        return preferred
    rest = (protocol for protocol in runtime.spec.protocol_versions if protocol in ("v1", "v2"))
    return next(rest, None) or best_protocol(runtime) or "v1"


def _explicit_obstacle(
    model: ModelSpec, runtime: Runtime, obstacle: Obstacle
) -> tuple[str, str] | None:
    """KServe's word and ours."""
    spec, protocol = runtime.resource.spec, protocol_of(model)
    if spec.disabled:
        return "RuntimeDisabled", "it is disabled"
    if protocol is not None and not _speaks(runtime.resource, protocol):
        return "NoSupportingRuntime", _protocol_reason(runtime.resource, protocol)
    if not any(_matches(entry, model) for entry in spec.supported_model_formats):
        return "NoSupportingRuntime", _format_reason(model, runtime.resource)
    reason = obstacle(runtime)
    return None if reason is None else ("NoSupportingRuntime", reason)


def _automatic_obstacle(
    model: ModelSpec, protocol: str, runtime: AnyServingRuntime, worker_spec: bool, many: bool
) -> str | None:
    spec = runtime.spec
    automatic = [entry for entry in spec.supported_model_formats if entry.auto_select]
    if not any(_matches(entry, model) for entry in automatic):
        if any(_matches(entry, model) for entry in spec.supported_model_formats):
            return "it is chosen only by name (autoSelect is off)"
        return _format_reason(model, runtime)
    if spec.disabled:
        return "it is disabled"
    if spec.multi_model and not many:
        return "it serves many models in one process (multiModel)"
    if many and not spec.multi_model:
        return "it serves one model (multiModel is off), and the service names none"
    if not _speaks(runtime, protocol):
        return _protocol_reason(runtime, protocol)
    if spec.worker_spec is not None and not worker_spec:
        return "it runs on several nodes (workerSpec), and the service on one"
    if spec.worker_spec is None and worker_spec:
        return "it runs on one node, and the service on several (workerSpec)"
    return None


def _serves(runtime: Runtime, format_name: str) -> bool:
    return any(e.name == format_name for e in runtime.resource.spec.supported_model_formats)


def _matches(entry: SupportedModelFormat, model: ModelSpec) -> bool:
    wanted = model.model_format
    # Versions are compared as text: for KServe, 1 and 1.0 are different.
    return entry.name == wanted.name and (not wanted.version or entry.version == wanted.version)


def _format_reason(model: ModelSpec, runtime: AnyServingRuntime) -> str:
    wanted = model.model_format
    versions = [
        entry.version or "any"
        for entry in runtime.spec.supported_model_formats
        if entry.name == wanted.name
    ]
    if versions:
        return f"it serves {wanted.name} in version {', '.join(versions)}, not {wanted.version}"
    return f"it does not serve {wanted.name}"


def _speaks(runtime: AnyServingRuntime, protocol: str) -> bool:
    return not runtime.spec.protocol_versions or protocol in runtime.spec.protocol_versions


def _protocol_reason(runtime: AnyServingRuntime, protocol: str) -> str:
    return f"it speaks {', '.join(runtime.spec.protocol_versions)}, not {protocol}"


def _nobody(
    model: ModelSpec, protocol: str, passed_over: tuple[PassedOver, ...], many: bool
) -> Selection:
    wanted = model.model_format
    version = f" {wanted.version}" if wanted.version else ""
    close = [passed for passed in passed_over if _serves(passed.runtime, wanted.name)]
    if close:
        why = "; ".join(f"{p.runtime.name}: {p.reason}" for p in close)
    else:
        formats = sorted(
            {
                entry.name
                for p in passed_over
                for entry in p.runtime.resource.spec.supported_model_formats
            }
        )
        why = f"add a ServingRuntime for it (there are runtimes for {', '.join(formats) or 'none'})"
    message = f"no runtime serves {wanted.name}{version} with protocol {protocol}: {why}"
    if many:
        message = f"it names no model (add storageUri), and without one {message}"
    return Selection(None, None, passed_over, "NoSupportingRuntime", message)


def _visible(runtime: Runtime, namespace: str) -> bool:
    resource = runtime.resource
    return resource.is_cluster_wide or resource.namespace == namespace
