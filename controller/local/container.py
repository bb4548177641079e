"""A container as a manifest has it -> the process that stands for it on this machine. Pure.

What it says of places, ports, limits, probes and variables is a container's world; here model
mounts become folders, and whatever this machine cannot do is a problem with its place.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from controller.local.quantities import Limits, limits
from controller.local.replica import (
    Ask,
    Exec,
    Grpc,
    HttpGet,
    Port,
    Probe,
    ProcessSpec,
    TcpSocket,
)
from controller.local.variables import Lookup, PodFields, nothing, variables
from controller.resources.codes import Code
from controller.resources.core import Container
from controller.resources.core import Probe as ProbeSpec
from graph.problems import Path as Place
from graph.problems import Problem

GRACE_S = 30.0  # Kubernetes' default
LONGEST_GRPC_NAME = 127  # of a service: longer ones are written differently on the wire


def process_spec(
    container: Container,
    *,
    pod: PodFields,
    folder: Path,
    mounts: Mapping[str, Path],
    packages: tuple[str, ...] | None = None,
    lookup: Lookup = nothing,
    grace_s: float = GRACE_S,
    grpc: bool = False,
    path: Place = (),
) -> ProcessSpec | list[Problem]:
    """`folder`: where it runs, unless it has a working directory. `mounts`: place in the container
    -> place here. `path`: of the container in its manifest.
    """
    env, problems = variables(container, pod, lookup, path)
    allowed = limits(container.resources, (*path, "resources"))
    if isinstance(allowed, list):
        problems += allowed
        allowed = Limits()
    ports = tuple(Port(port.container_port, port.name) for port in container.ports)
    probes = {
        name: _probe(spec, ports, mounts, (*path, f"{name}Probe"), problems)
        for name, spec in (
            ("readiness", container.readiness_probe),
            ("liveness", container.liveness_probe),
            ("startup", container.startup_probe),
        )
    }
    spec = ProcessSpec(
        argv=tuple(moved(word, mounts) for word in (*container.command, *container.args)),
        env=tuple((name, moved(value, mounts)) for name, value in env),
        folder=folder / moved(container.working_dir or "", mounts),
        ports=ports,
        packages=packages,
        memory_bytes=allowed.memory_bytes,
        cpus=allowed.cpus,
        gpus=allowed.gpus,
        grace_s=grace_s,
        grpc=grpc,
        **probes,
    )
    return problems or spec


def moved(text: str, mounts: Mapping[str, Path]) -> str:
    for mount in sorted(mounts, key=len, reverse=True):
        # Not the beginning of a longer name: /mnt/models, and not /mnt/models-old.
        here = str(mounts[mount]).replace("\\", r"\\")
        text = re.sub(rf"{re.escape(mount)}(?![\w.-])", here, text)
    return text


def _probe(
    spec: ProbeSpec | None,
    ports: tuple[Port, ...],
    mounts: Mapping[str, Path],
    path: Place,
    problems: list[Problem],
) -> Probe | None:
    if spec is None:
        return None
    asked = _ask(spec, ports, mounts)
    if isinstance(asked, str):
        problems.append(Code.UNKNOWN_PORT.at(path, asked))
        return None
    return Probe(
        asked,
        # Kubernetes takes 0 for the default.
        initial_delay_s=spec.initial_delay_seconds or 0,
        period_s=spec.period_seconds or 10,
        timeout_s=spec.timeout_seconds or 1,
        successes=spec.success_threshold or 1,
        failures=spec.failure_threshold or 3,
        grace_s=spec.termination_grace_period_seconds,
    )


def _ask(spec: ProbeSpec, ports: tuple[Port, ...], mounts: Mapping[str, Path]) -> Ask | str:
    """Or what is wrong with it."""
    if spec.exec is not None:
        if not spec.exec.command:
            return "the probe runs no command; add one to exec.command"
        return Exec(tuple(moved(word, mounts) for word in spec.exec.command))
    if (get := spec.http_get) is not None:
        number = _number(get.port, ports)
        if isinstance(number, str):
            return number
        headers = tuple((header.name, header.value) for header in get.http_headers)
        return HttpGet(number, get.path or "/", (get.scheme or "HTTP").upper() == "HTTPS", headers)
    if spec.tcp_socket is not None:
        number = _number(spec.tcp_socket.port, ports)
        return number if isinstance(number, str) else TcpSocket(number)
    if spec.grpc is not None:
        number = _number(spec.grpc.port, ports)
        service = spec.grpc.service or ""
        if len(service.encode()) > LONGEST_GRPC_NAME:
            return f"a gRPC probe's service has {LONGEST_GRPC_NAME} bytes at most; shorten it"
        return number if isinstance(number, str) else Grpc(number, service)
    return "the probe asks nothing; add httpGet, tcpSocket, exec or grpc"


def _number(port: int | str | None, ports: tuple[Port, ...]) -> int | str:
    for declared in ports:
        if port is not None and port in (declared.number, declared.name):
            return declared.number
    return f"the probe asks port {port}, which the container does not declare; add it to ports"
