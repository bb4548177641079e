"""What a container's resources mean on one machine: bytes, CPUs, whole GPUs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from controller.resources.codes import Code
from controller.resources.core import ResourceRequirements
from graph.problems import Path, Problem

GPU = "nvidia.com/gpu"
_POWERS = {
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    "m": Decimal("1e-3"),
    "u": Decimal("1e-6"),
    "n": Decimal("1e-9"),
}
# Of Kubernetes' own resources; everything else with a slash is a device of some vendor.
_NOT_KEPT = ("ephemeral-storage", "hugepages-", "storage")


@dataclass(frozen=True, slots=True)
class Limits:
    memory_bytes: int | None = None
    cpus: float | None = None
    gpus: int = 0


def amount(quantity: float | str) -> Decimal:
    """Of Kubernetes' notation: 1, 0.5, 500m, 2Gi, 1e3. Its syntax was checked when it was read."""
    text = str(quantity)
    suffix = text.lstrip("+-.0123456789")
    if suffix in _POWERS:
        return Decimal(text.removesuffix(suffix)) * _POWERS[suffix]
    return Decimal(text)


def limits(resources: ResourceRequirements | None, path: Path) -> Limits | list[Problem]:
    if resources is None:
        return Limits()
    given: Mapping[str, float | str] = resources.limits
    problems = [
        problem
        for field, values in (("limits", resources.limits), ("requests", resources.requests))
        for name, value in values.items()
        if (problem := _problem((*path, field, name), name, value))
    ]
    wanted = given.get(GPU, 0)
    requested = resources.requests.get(GPU, wanted)
    if amount(requested) != amount(wanted):
        message = f"it requests {requested} GPUs and its limit is {wanted}; they must be equal"
        problems.append(Code.NOT_RUNNABLE_HERE.at((*path, "requests", GPU), message))
    if problems:
        return problems
    memory, cpu = given.get("memory"), given.get("cpu")
    return Limits(
        None if memory is None or not amount(memory) else int(amount(memory)),
        None if cpu is None or not amount(cpu) else float(amount(cpu)),
        int(amount(wanted)),
    )


def _problem(path: Path, name: str, value: float | str) -> Problem | None:
    if name == GPU:
        number = amount(value)
        if number == number.to_integral_value() and number >= 0:
            return None
        message = f"{value} of a GPU cannot be given, devices are whole; write a whole number"
    elif name.startswith("nvidia.com/mig-"):
        message = f"parts of a GPU ({name}) are not given on this machine; use {GPU}"
    elif "/" in name:
        message = f"{name} is nothing that this machine can give; remove it, or use {GPU}"
    elif name in ("cpu", "memory") or name.startswith(_NOT_KEPT):
        return None
    else:
        message = f"{name} is no resource; there are cpu, memory and {GPU}"
    return Code.NOT_RUNNABLE_HERE.at(path, message)
