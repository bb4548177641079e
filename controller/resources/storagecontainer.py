"""Who fetches a model: ClusterStorageContainer (KServe's) and StorageContainer (ours, which a
namespace can have for itself). A container, and the URIs that it understands.
"""

from typing import Any, Literal

import re2
from pydantic import StrictBool, StrictStr

from controller.resources.core import Container
from controller.resources.model import Model
from controller.resources.resource import Resource

# A pattern is the user's: its faults are told as problems, not on standard error.
_QUIET = re2.Options()
_QUIET.log_errors = False
WORKLOAD_TYPES = ("initContainer", "localModelDownloadJob")


class SupportedUriFormat(Model):
    """A prefix, or a regular expression that is searched; of both, the prefix counts."""

    prefix: StrictStr | None = None
    regex: StrictStr | None = None


class StorageContainerSpec(Model):
    container: Container
    supported_uri_formats: tuple[SupportedUriFormat, ...]
    workload_type: StrictStr = WORKLOAD_TYPES[0]
    supports_multi_model_download: StrictBool = False


class AnyStorageContainer(Resource):
    spec: StorageContainerSpec
    disabled: StrictBool = False


def matches(container: AnyStorageContainer, uri: str) -> bool:
    """Whether it is one that fetches this URI. A pattern that cannot be read matches nothing."""
    return not container.disabled and any(
        _matches(item, uri) for item in container.spec.supported_uri_formats
    )


def _matches(item: SupportedUriFormat, uri: str) -> bool:
    if item.prefix:
        return uri.startswith(item.prefix)
    if not item.regex:
        return False
    try:
        return searched(item.regex).search(uri) is not None
    except re2.error:
        return False


def searched(regex: str) -> Any:
    """In Go's syntax; raises re2.error."""
    return re2.compile(regex, options=_QUIET)


class ClusterStorageContainer(AnyStorageContainer):
    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    kind: Literal["ClusterStorageContainer"] = "ClusterStorageContainer"


class StorageContainer(AnyStorageContainer):
    api_version: Literal["graphway.dev/v1alpha1"] = "graphway.dev/v1alpha1"
    kind: Literal["StorageContainer"] = "StorageContainer"
