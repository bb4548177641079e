"""What is asked of the kinds around models: TrainedModel, caches, storage containers."""

import re
from collections.abc import Iterator

import re2

from controller.resources.codes import Code
from controller.resources.localmodel import AnyLocalModelCache
from controller.resources.storagecontainer import WORKLOAD_TYPES, AnyStorageContainer, searched
from controller.resources.trainedmodel import TrainedModel
from controller.resources.validate.subject import SPEC
from controller.resources.validate.surroundings import Surroundings
from graph.codes import Code as Shared
from graph.problems import Problem
from graph.wording import listed, shown

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
# KServe takes the first four. The others are fetched here, and a path is a path on this machine.
_PREFIXES = ("s3://", "gs://", "https://", "http://", "hf://", "pvc://", "file://")


def trained_model(resource: TrainedModel) -> Iterator[Problem]:
    if not _NAME.fullmatch(resource.name):
        message = f"{shown(resource.name)} is no name; use letters, digits, - and _"
        yield Code.BAD_NAME.at(("metadata", "name"), message)
    uri = resource.spec.model.storage_uri
    if not uri or ("://" in uri and not uri.startswith(_PREFIXES)):
        message = (
            f"{shown(uri)} cannot be fetched here; write a path beside this file, or begin with "
            f"{listed(_PREFIXES)}"
        )
        yield Code.BAD_STORAGE_URI.at((*SPEC, "model", "storageUri"), message)


def storage_container(resource: AnyStorageContainer) -> Iterator[Problem]:
    """KServe asks nothing, and fails at the first model that it fetches."""
    given = resource.spec.workload_type
    if given not in WORKLOAD_TYPES:
        message = f"{shown(given)} is no type of workload; choose one of {listed(WORKLOAD_TYPES)}"
        yield Shared.BAD_VALUE.at((*SPEC, "workloadType"), message)
    path = (*SPEC, "supportedUriFormats")
    for index, item in enumerate(resource.spec.supported_uri_formats):
        if not item.prefix and not item.regex:
            message = "it matches nothing; add a prefix or a regex"
            yield Code.BAD_PATTERN.at((*path, index), message)
        if item.regex:
            try:
                searched(item.regex)
            except re2.error as error:
                message = f"{shown(item.regex)} is no regular expression of Go's ({error}); mend it"
                yield Code.BAD_PATTERN.at((*path, index, "regex"), message)


def cache_among(cache: AnyLocalModelCache, around: Surroundings) -> Iterator[Problem]:
    for path, other in around.taken(cache):
        message = f"{other.name} keeps {shown(cache.spec.source_model_uri)} already; use it"
        yield Code.DUPLICATE_CACHE.at(path, message)
    for index, group in enumerate(cache.spec.node_groups):
        if group not in around.node_groups:
            message = f"there is no LocalModelNodeGroup {shown(group)}; add one, or name another"
            yield Code.UNKNOWN_NODE_GROUP.at((*SPEC, "nodeGroups", index), message)
