"""What a process gets when it starts: the words of its command, its variables, its folder. Pure.

Ports and devices are chosen anew for a life, so only now can `$(PORT)` (the first port) and
`$(PORT_<NAME>)` be filled in. `$(VAR)` is Kubernetes' own way to use a variable in a command, so a
manifest that sets PORT itself still runs on a cluster.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.local.replica import ProcessSpec

# They would lead a server's Python out of its own environment.
_NOT_INHERITED = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSTARTUP")

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True, slots=True)
class Launch:
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path


def launch(
    spec: ProcessSpec,
    *,
    ports: Mapping[int, int],
    gpus: tuple[str, ...],
    python_env: Path | None,
    environ: Mapping[str, str],
) -> Launch:
    """`ports`: declared -> real. `environ` is inherited."""
    inherited = {name: value for name, value in environ.items() if name not in _NOT_INHERITED}
    inherited["PYTHONUNBUFFERED"] = "1"  # a log that lags behind is no help
    if python_env is not None:
        inherited["VIRTUAL_ENV"] = str(python_env)
        inherited["PATH"] = f"{python_env / 'bin'}:{environ.get('PATH', '')}"
    # Empty hides all devices: who asked for none must not take one that others hold.
    given = _port_variables(spec, ports) | {"CUDA_VISIBLE_DEVICES": ",".join(gpus)}
    known = dict(given)
    for name, value in spec.env:
        # As in Kubernetes: a variable sees those before it. Ports and devices are ours to say.
        if name not in given:
            known[name] = _expand(value, known)
    argv = tuple(_expand(word, known) for word in spec.argv)
    return Launch(argv, inherited | known, spec.folder)


def _port_variables(spec: ProcessSpec, ports: Mapping[int, int]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for port in spec.ports:
        variables.setdefault("PORT", str(ports[port.number]))
        if port.name:
            variables[f"PORT_{port.name.upper().replace('-', '_')}"] = str(ports[port.number])
    return variables


def _expand(text: str, known: Mapping[str, str]) -> str:
    """Kubernetes: `$(VAR)` if known, else as it stands; `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return known.get(match[1], match[0])

    return _REFERENCE.sub(value, text)
