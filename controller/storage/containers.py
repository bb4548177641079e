"""Which StorageContainer fetches a URI, and with which command. Pure.

Namespaced ones go before those of the cluster, then in the order of the list, as KServe's: there is
no priority. A container with a command runs on this machine as KServe's initializer would, with URI
and folder as its last arguments; one without is the built-in fetcher (KServe ships such a default).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import re2

from controller.storage.locations import redacted


class WorkloadType(StrEnum):
    INIT_CONTAINER = "initContainer"
    DOWNLOAD_JOB = "localModelDownloadJob"


@dataclass(frozen=True, slots=True)
class UriFormat:
    prefix: str = ""
    regex: str = ""

    def matches(self, uri: str) -> bool:
        """A prefix, if there is one, decides alone. A regex that is none matches nothing."""
        if self.prefix:
            return uri.startswith(self.prefix)
        try:
            return bool(self.regex) and re2.search(self.regex, uri) is not None
        except re2.error:
            return False


@dataclass(frozen=True, slots=True)
class StorageContainer:
    name: str
    formats: Sequence[UriFormat]
    command: Sequence[str] = ()  # command and args; none: the built-in fetcher
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    workload_type: WorkloadType = WorkloadType.INIT_CONTAINER
    several: bool = False  # supportsMultiModelDownload
    disabled: bool = False
    namespace: str | None = None  # None: of the cluster

    def supports(self, uri: str) -> bool:
        return any(entry.matches(uri) for entry in self.formats)


def choose(
    uri: str,
    containers: Sequence[StorageContainer],
    *,
    namespace: str,
    name: str | None = None,
    workload_type: WorkloadType = WorkloadType.INIT_CONTAINER,
) -> StorageContainer | str | None:
    """None: nobody claims it. A text: the one that `name` names cannot, and why."""
    visible = [one for one in containers if one.namespace == namespace]
    visible += [one for one in containers if one.namespace is None]
    if name is not None:
        return _named(name, uri, visible, workload_type)
    for one in visible:
        if not one.disabled and one.workload_type is workload_type and one.supports(uri):
            return one
    return None


def _named(
    name: str, uri: str, visible: Sequence[StorageContainer], workload_type: WorkloadType
) -> StorageContainer | str:
    one = next((one for one in visible if one.name == name), None)
    if one is None:
        there = ", ".join(one.name for one in visible) or "there is none"
        return f"there is no StorageContainer {name}; it could be one of: {there}"
    if one.disabled:
        return f"StorageContainer {name} is disabled; enable it or name another one"
    if one.workload_type is not workload_type:
        return (
            f"StorageContainer {name} has workloadType {one.workload_type}; "
            f"one with {workload_type} is needed"
        )
    if not one.supports(uri):
        message = f"StorageContainer {name} does not fetch {redacted(uri)}; add a prefix or regex "
        return message + "for it to its supportedUriFormats"
    return one


def regex_problems(formats: Sequence[UriFormat]) -> list[tuple[int, str]]:
    """Which entries hold a regex that is none; KServe finds out when a model is first fetched."""
    problems = []
    for index, entry in enumerate(formats):
        try:
            if not entry.prefix and entry.regex:
                re2.compile(entry.regex)
        except re2.error as error:
            problems.append((index, f"{entry.regex} is no regular expression: {error}"))
    return problems
