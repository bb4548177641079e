"""Which ServingRuntime serves an InferenceService, and why each of the others does not.

Pure, and KServe's rules: an explicit runtime is taken at its word once it fits; otherwise runtimes
of the namespace come before those of the cluster, then priority, then protocol. A backend adds one
rule of its own by `obstacle`: a runtime that it cannot run is passed over with that reason.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controller.resources.inferenceservice import ModelSpec
from controller.resources.parse import Runtime
from controller.resources.servingruntime import AnyServingRuntime, SupportedModelFormat

PROTOCOLS = ("v1", "v2", "grpc-v1", "grpc-v2")  # best first, when a runtime is free to choose

Obstacle = Callable[[Runtime], str | None]


def no_obstacle(_: Runtime) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class PassedOver:
    runtime: Runtime
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """`chosen` with the protocol that it will speak, or else `reason` (KServe's word) and
    `message`.
    """

    chosen: Runtime | None
    protocol: str | None
    passed_over: tuple[PassedOver, ...] = ()
    reason: str = ""
    message: str = ""


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
    obstacle: Obstacle = no_obstacle,
) -> Selection:
    visible = [r for r in runtimes if _visible(r, namespace)]
    if model.runtime is not None:
        return _explicit(model, model.runtime, namespace, visible, obstacle)
    protocol = model.protocol_version or "v1"
    fitting: list[Runtime] = []
    passed_over: list[PassedOver] = []
    for runtime in visible:
        reason = _automatic_obstacle(model, protocol, runtime.resource, worker_spec)
        reason = reason or obstacle(runtime)
        if reason is None:
            fitting.append(runtime)
        else:
            passed_over.append(PassedOver(runtime, reason))
    if not fitting:
        return _nobody(model, protocol, passed_over)
    chosen, *others = _ranked(fitting, model.model_format.name)
    passed_over += [PassedOver(r, f"{chosen.name} comes before it") for r in others]
    best = _best_protocol(chosen.resource) or protocol
    return Selection(chosen, model.protocol_version or best, tuple(passed_over))


def _explicit(
    model: ModelSpec, name: str, namespace: str, runtimes: list[Runtime], obstacle: Obstacle
) -> Selection:
    runtime = find(name, namespace, runtimes)
    if runtime is None:
        known = ", ".join(sorted({r.name for r in runtimes})) or "none"
        return _refused("RuntimeNotRecognized", f"there is no runtime {name}; known are: {known}")
    spec = runtime.resource.spec
    if spec.disabled:
        return _refused(
            "RuntimeDisabled", f"runtime {name} is disabled; enable it, or name another"
        )
    reason = None
    if model.protocol_version and not _speaks(runtime.resource, model.protocol_version):
        reason = _protocol_reason(runtime.resource, model.protocol_version)
    elif not any(_matches(entry, model) for entry in spec.supported_model_formats):
        reason = _format_reason(model, runtime.resource)
    reason = reason or obstacle(runtime)
    if reason:
        message = f"runtime {name} cannot serve it: {reason}; name another runtime, or none"
        return Selection(None, None, (PassedOver(runtime, reason),), "NoSupportingRuntime", message)
    rest = (p for p in spec.protocol_versions if p in ("v1", "v2"))
    best = next(rest, None) or _best_protocol(runtime.resource) or "v1"
    return Selection(runtime, model.protocol_version or best)


def _automatic_obstacle(
    model: ModelSpec, protocol: str, runtime: AnyServingRuntime, worker_spec: bool
) -> str | None:
    spec = runtime.spec
    automatic = [entry for entry in spec.supported_model_formats if entry.auto_select]
    if not any(_matches(entry, model) for entry in automatic):
        if any(_matches(entry, model) for entry in spec.supported_model_formats):
            return "it is chosen only by name (autoSelect is off)"
        return _format_reason(model, runtime)
    if spec.disabled:
        return "it is disabled"
    if spec.multi_model:
        return "it serves many models in one process (multiModel)"
    if not _speaks(runtime, protocol):
        return _protocol_reason(runtime, protocol)
    if (spec.worker_spec is not None) != worker_spec:
        return "one of runtime and service runs on several nodes (workerSpec), the other does not"
    return None


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


def _rank(protocol: str) -> int:
    return PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS)


def _best_protocol(runtime: AnyServingRuntime) -> str | None:
    return min(runtime.spec.protocol_versions, key=_rank, default=None)


def _ranked(runtimes: list[Runtime], format_name: str) -> list[Runtime]:
    """Sorted by each rule in turn, the weightiest last: sorting is stable."""

    def priority(runtime: Runtime) -> int:
        # KServe reads the first entry of the format, whatever its version.
        formats = runtime.resource.spec.supported_model_formats
        return next((e.priority or 0 for e in formats if e.name == format_name), 0)

    ranked = sorted(runtimes, key=lambda r: r.name)
    ranked.sort(key=lambda r: str(r.resource.metadata.creation_timestamp or ""), reverse=True)
    ranked.sort(key=lambda r: _rank(_best_protocol(r.resource) or ""))
    ranked.sort(key=priority, reverse=True)
    ranked.sort(key=lambda r: r.resource.is_cluster_wide)
    return ranked


def _nobody(model: ModelSpec, protocol: str, passed_over: list[PassedOver]) -> Selection:
    wanted = model.model_format
    version = f" {wanted.version}" if wanted.version else ""
    close = [
        p
        for p in passed_over
        if any(e.name == wanted.name for e in p.runtime.resource.spec.supported_model_formats)
    ]
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
    return Selection(None, None, tuple(passed_over), "NoSupportingRuntime", message)


def _refused(reason: str, message: str) -> Selection:
    return Selection(None, None, (), reason, message)


def _visible(runtime: Runtime, namespace: str) -> bool:
    resource = runtime.resource
    return resource.is_cluster_wide or resource.namespace == namespace
