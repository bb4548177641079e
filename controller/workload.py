"""InferenceService + runtime -> Workload: what is to run, whoever runs it.

Pure, and knows no backend: ports are those of the manifests, models are URIs and the places where
the container expects them. A backend turns that into a process or a pod.
"""

import os.path
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath

from controller.endpoints import model_name
from controller.resources.codes import Code
from controller.resources.containers import env_value
from controller.resources.core import Container, ContainerPort, EnvVar, ObjectMeta
from controller.resources.core import Probe as ProbeSpec
from controller.resources.inferenceservice import ModelSpec, PredictorSpec, model_of
from controller.resources.parse import Runtime, Service
from graph.problems import Path, Problem

MODEL_MOUNT = "/mnt/models"
DEFAULT_PORT = 8080
SERVER_TYPE = "serving.kserve.io/server-type"

# What MLServer loads, by model format; KServe tells it by this label.
_MLSERVER_CLASSES = {
    "sklearn": "mlserver_sklearn.SKLearnModel",
    "xgboost": "mlserver_xgboost.XGBoostModel",
    "lightgbm": "mlserver_lightgbm.LightGBMModel",
    "mlflow": "mlserver_mlflow.MLflowRuntime",
}

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}")
_FIELD = re.compile(r"\s*\.(Name|Namespace|Labels\.([-\w]+)|Annotations\.([-\w]+))\s*")


@dataclass(frozen=True, slots=True)
class Mount:
    path: str  # where the container looks
    uri: str
    source: Path  # of the URI in the manifest


@dataclass(frozen=True, slots=True)
class Probe:
    """Ready when this answers. No `path`: when the port accepts a connection."""

    path: str | None
    port: int
    timeout_s: float = 1.0
    failures: int = 3  # in a row, before what was ready no longer is
    period_s: int = 10


@dataclass(frozen=True, slots=True)
class Workload:
    key: str  # namespace/name of the InferenceService
    image: str | None
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    working_dir: str | None
    ports: tuple[ContainerPort, ...]  # the first is the one to call
    mounts: tuple[Mount, ...]
    probe: Probe
    annotations: tuple[tuple[str, str], ...]  # runtime's, then service's
    runtime: str | None


def workload(service: Service, runtime: Runtime | None, protocol: str) -> Workload | list[Problem]:
    """`runtime` is None if the predictor has containers of its own."""
    meta, predictor = service.resource.metadata, service.resource.spec.predictor
    model = model_of(predictor)
    base = _beside(runtime.resource.container, runtime.folder) if runtime else Container()
    own = _beside(model or predictor.containers[0], service.folder)
    problems: list[Problem] = []
    fields = meta
    env = [*base.env]
    if runtime and runtime.resource.metadata.annotations.get(SERVER_TYPE) == "mlserver" and model:
        fields, defaults = _mlserver(meta, model)
        env = [*defaults, *env]
    env = [*env, *own.env, EnvVar(name="INFERENCE_SERVICE_NAME", value=meta.name)]
    path = _container_path(predictor)
    mounts = _mounts(predictor, model, own, path)
    if any(item.name == "STORAGE_URI" for item in env):
        env.append(EnvVar(name="STORAGE_URI", value=MODEL_MOUNT))
    render = _renderer(fields, path, problems)
    ports = own.ports or base.ports or (ContainerPort(container_port=DEFAULT_PORT),)
    probe = _probe(
        own.readiness_probe or base.readiness_probe,
        ports,
        _ready_path(protocol, model_name(service.resource)) if model else None,
        (*path, "readinessProbe"),
        problems,
    )
    made = Workload(
        key=service.key,
        image=own.image or base.image,
        command=tuple(render(word) for word in own.command or base.command),
        args=tuple(render(word) for word in (*base.args, *own.args)),
        env=_environment(env, render, path, problems),
        working_dir=own.working_dir or base.working_dir,
        ports=ports,
        mounts=mounts,
        probe=probe,
        annotations=tuple(
            ((runtime.resource.metadata.annotations if runtime else {}) | meta.annotations).items()
        ),
        runtime=runtime.name if runtime else None,
    )
    return problems or made


def _container_path(predictor: PredictorSpec) -> Path:
    if predictor.model is not None:
        return ("spec", "predictor", "model")
    for framework in predictor.frameworks():
        return ("spec", "predictor", framework)
    return ("spec", "predictor", "containers", 0)


def _beside(container: Container, folder: FilePath) -> Container:
    """Words of a command that begin with a dot and a slash lie beside their manifest."""

    def absolute(word: str) -> str:
        is_path = word.startswith(("./", "../"))
        return os.path.normpath(folder / word) if is_path else word

    return container.model_copy(
        update={
            "command": tuple(map(absolute, container.command)),
            "args": tuple(map(absolute, container.args)),
            "working_dir": container.working_dir and absolute(container.working_dir),
        }
    )


def _mlserver(meta: ObjectMeta, model: ModelSpec) -> tuple[ObjectMeta, list[EnvVar]]:
    """KServe's defaults for this server: it is told of its model by environment and label."""
    model_class = _MLSERVER_CLASSES.get(model.model_format.name, "")
    labelled = meta.model_copy(update={"labels": {"modelClass": model_class} | meta.labels})
    return labelled, [
        EnvVar(name="MLSERVER_MODEL_NAME", value=meta.name),
        EnvVar(name="MLSERVER_MODEL_URI", value=MODEL_MOUNT),
    ]


def _mounts(
    predictor: PredictorSpec, model: ModelSpec | None, own: Container, path: Path
) -> tuple[Mount, ...]:
    mounts = [
        Mount(item.mount_path, item.uri, ("spec", "predictor", "storageUris", index, "uri"))
        for index, item in enumerate(predictor.storage_uris)
    ]
    if model is not None and model.storage_uri:
        mounts.append(Mount(MODEL_MOUNT, model.storage_uri, (*path, "storageUri")))
    elif model is None and (uri := env_value(own, "STORAGE_URI")):
        mounts.append(Mount(MODEL_MOUNT, uri, (*path, "env")))
    return tuple(mounts)


def _renderer(meta: ObjectMeta, path: Path, problems: list[Problem]) -> Callable[[str], str]:
    """`{{.Name}}` and its like, as KServe fills them in; what is not there becomes empty."""

    def value(match: re.Match[str]) -> str:
        field = _FIELD.fullmatch(match[1])
        if field is None:
            problems.append(
                Code.UNKNOWN_PLACEHOLDER.at(
                    path,
                    f"{match[0]} is no placeholder; there are {{{{.Name}}}}, {{{{.Namespace}}}}, "
                    "{{.Labels.x}} and {{.Annotations.x}}",
                )
            )
            return ""
        if field[2]:
            return meta.labels.get(field[2], "")
        if field[3]:
            return meta.annotations.get(field[3], "")
        return meta.name if field[1] == "Name" else meta.namespace or "default"

    return lambda text: _PLACEHOLDER.sub(value, text)


def _environment(
    env: Iterable[EnvVar], render: Callable[[str], str], path: Path, problems: list[Problem]
) -> tuple[tuple[str, str], ...]:
    """Merged by name: the last one wins, the first one keeps its place."""
    merged: dict[str, str] = {}
    for item in env:
        if item.value_from is not None:
            problems.append(
                Code.UNSUPPORTED_HERE.at(
                    (*path, "env"),
                    f"{item.name} takes its value from elsewhere (valueFrom); write the value",
                )
            )
        merged[item.name] = render(item.value or "")
    return tuple(merged.items())


def _ready_path(protocol: str, model: str) -> str | None:
    match protocol:
        case "v1":
            return f"/v1/models/{model}"
        case "v2":
            return f"/v2/models/{model}/ready"
    return None


def _probe(
    spec: ProbeSpec | None,
    ports: tuple[ContainerPort, ...],
    model_path: str | None,
    path: Path,
    problems: list[Problem],
) -> Probe:
    """The container's own, else the model's readiness by its protocol, else a TCP connection (as
    KServe).
    """
    target = spec and (spec.http_get or spec.tcp_socket)
    if spec is None:
        return Probe(model_path, ports[0].container_port)
    if not target:
        problems.append(
            Code.UNSUPPORTED_HERE.at(path, "only httpGet and tcpSocket are probed; use one")
        )
        return Probe(None, ports[0].container_port)
    named = {port.name: port.container_port for port in ports if port.name}
    number = named.get(target.port) if isinstance(target.port, str) else target.port
    if number is None or number not in {port.container_port for port in ports}:
        problems.append(
            Code.UNKNOWN_PORT.at(
                path,
                f"the probe asks port {target.port}, which the container does not declare; "
                "add it to ports",
            )
        )
    http_path = (spec.http_get.path or "/") if spec.http_get else None
    return Probe(
        http_path,
        number or ports[0].container_port,
        spec.timeout_seconds or 1,
        spec.failure_threshold or 3,
        spec.period_seconds or 10,
    )
