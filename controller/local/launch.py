"""Workload -> argv, environment and folder of one process. Pure.

Manifests speak of a container's world; here it becomes this machine's: `/mnt/models` is a folder
somewhere, and each declared port gets a free one, told as `$(PORT)` (the first) and
`$(PORT_<NAME>)`. `$(VAR)` is Kubernetes' own way to use a variable in a command, so a manifest
that sets PORT itself still runs on a cluster.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.workload import Workload

# They would lead a server's Python out of its own environment.
_NOT_INHERITED = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSTARTUP")

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True, slots=True)
class Launch:
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path


def launch(
    workload: Workload,
    *,
    ports: Mapping[int, int],
    mounts: Mapping[str, Path],
    python_env: Path | None,
    scratch: Path,
    environ: Mapping[str, str],
) -> Launch:
    """`ports`: declared -> real. `mounts`: place in the container -> place here. `environ` is
    inherited.
    """
    inherited = {name: value for name, value in environ.items() if name not in _NOT_INHERITED}
    inherited["PYTHONUNBUFFERED"] = "1"  # a log that lags behind is no help
    if python_env is not None:
        inherited["VIRTUAL_ENV"] = str(python_env)
        inherited["PATH"] = f"{python_env / 'bin'}:{environ.get('PATH', '')}"
    given = _port_variables(workload, ports)
    known = dict(given)
    for name, value in workload.env:
        # As in Kubernetes: a variable sees those before it. The ports are ours to say.
        if name not in given:
            known[name] = _expand(_moved(value, mounts), known)
    folder = Path(workload.working_dir) if workload.working_dir else scratch
    words = (*workload.command, *workload.args)
    argv = tuple(_expand(_moved(word, mounts), known) for word in words)
    return Launch(argv, inherited | known, scratch / folder)


def _port_variables(workload: Workload, ports: Mapping[int, int]) -> dict[str, str]:
    variables = {"PORT": str(ports[workload.ports[0].container_port])}
    for port in workload.ports:
        if port.name:
            name = f"PORT_{port.name.upper().replace('-', '_')}"
            variables[name] = str(ports[port.container_port])
    return variables


def _moved(text: str, mounts: Mapping[str, Path]) -> str:
    for mount in sorted(mounts, key=len, reverse=True):
        # Not the beginning of a longer name: /mnt/models, and not /mnt/models-old.
        here = str(mounts[mount]).replace("\\", r"\\")
        text = re.sub(rf"{re.escape(mount)}(?![\w.-])", here, text)
    return text


def _expand(text: str, known: Mapping[str, str]) -> str:
    """Kubernetes: `$(VAR)` if known, else as it stands; `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return known.get(match[1], match[0])

    return _REFERENCE.sub(value, text)
