"""Which StorageContainer fetches a URI, and with which command. Pure.

Namespaced ones go before those of the cluster, then in the order of the list, as KServe's: there is
no priority. A container with a command runs on this machine as KServe's initializer would, with URI
and folder as its last arguments; one without is the built-in fetcher (KServe ships such a default).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from controller.resources.storagecontainer import AnyStorageContainer, matches
from controller.storage.locations import redacted

WorkloadType = Literal["initContainer", "localModelDownloadJob"]


@dataclass(frozen=True, slots=True)
class Command:
    """What is run to fetch; URI and folder are added to `argv`."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = frozenset()  # names in `env` whose values came from Secrets


def choose(
    uri: str,
    containers: Sequence[AnyStorageContainer],
    *,
    namespace: str,
    name: str | None = None,
    workload_type: WorkloadType = "initContainer",
) -> AnyStorageContainer | str | None:
    """None: nobody claims it. A text: the one that `name` names cannot, and why."""
    visible = [one for one in containers if one.metadata.namespace == namespace]
    visible += [one for one in containers if one.metadata.namespace is None]
    if name is not None:
        return _named(name, uri, visible, workload_type)
    for one in visible:
        if one.spec.workload_type == workload_type and matches(one, uri):
            return one
    return None


def _named(
    name: str, uri: str, visible: Sequence[AnyStorageContainer], workload_type: WorkloadType
) -> AnyStorageContainer | str:
    one = next((one for one in visible if one.metadata.name == name), None)
    if one is None:
        there = ", ".join(one.metadata.name for one in visible) or "there is none"
        return f"there is no StorageContainer {name}; it could be one of: {there}"
    if one.disabled:
        return f"StorageContainer {name} is disabled; enable it or name another one"
    if one.spec.workload_type != workload_type:
        return (
            f"StorageContainer {name} has workloadType {one.spec.workload_type}; "
            f"one with {workload_type} is needed"
        )
    if not matches(one, uri):
        message = f"StorageContainer {name} does not fetch {redacted(uri)}; add a prefix or regex "
        return message + "for it to its supportedUriFormats"
    return one


def plain_env(
    container: AnyStorageContainer, secrets: Mapping[str, Mapping[str, str]]
) -> dict[str, str] | list[str]:
    """Its environment, references to Secrets replaced; or why that cannot be."""
    env: dict[str, str] = {}
    problems = []
    name = container.metadata.name
    for variable in container.spec.container.env:
        source = variable.value_from
        if source is None:
            env[variable.name] = variable.value or ""
        elif (key := source.secret_key_ref) is None:
            message = f"{variable.name} of StorageContainer {name} comes from what only a cluster "
            problems.append(message + "has; give a value or a secretKeyRef")
        elif (value := secrets.get(key.name or "", {}).get(key.key)) is not None:
            env[variable.name] = value
        elif not key.optional:
            message = f"{variable.name} of StorageContainer {name} needs {key.key} of Secret "
            problems.append(f"{message}{key.name}, which does not exist; add it")
    return problems or env


def command_of(container: AnyStorageContainer, env: Mapping[str, str]) -> Command | None:
    """None: it names an image only, so the built-in fetcher does its work."""
    spec = container.spec.container
    secrets = frozenset(
        one.name for one in spec.env if one.value_from is not None and one.name in env
    )
    return Command((*spec.command, *spec.args), env, secrets) if spec.command else None
