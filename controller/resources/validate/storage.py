"""Where a model comes from: URIs that somebody can fetch, in places that do not clash."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from controller.resources.codes import Code
from controller.resources.component import ComponentSpec
from controller.resources.containers import env_value
from controller.resources.inferenceservice import PredictorExtensionSpec, PredictorSpec
from controller.resources.storagecontainer import AnyStorageContainer, matches
from controller.resources.validate.subject import Subject, implementations
from graph.problems import Path, Problem
from graph.wording import listed, shown

SCHEMES = (
    "gs",
    "s3",
    "pvc",
    "file",
    "https",
    "http",
    "hdfs",
    "webhdfs",
    "oci",
    "oci+native",
    "oci+fetch",
    "hf",
    "modelscope",
)
_SCHEME = re.compile(r"([A-Za-z0-9_+.-]+)://")
_RESOURCE_ID = re.compile(r"kbs:///[a-zA-Z0-9_.-]+/[a-zA-Z0-9_.-]+/[a-zA-Z0-9_.-]+")
_UNSAFE = ("oci", "pvc")


def exclusive(subject: Subject) -> Iterator[Problem]:
    """storageUri, storageUris and storage: one of them."""
    for path, component in subject.components():
        single = _single(path, component)
        if single is not None and component.storage_uris:
            message = "there are storageUris too; keep one of them"
            yield Code.STORAGE_CLASH.at(single[0], message)
        if isinstance(component, PredictorSpec):
            for where, extension in _extensions(path, component):
                storage = extension.storage
                if extension.storage_uri and storage is not None and storage.path:
                    message = "there is a storage.path too; keep one of them"
                    yield Code.STORAGE_CLASH.at((*where, "storageUri"), message)


def fetchable(subject: Subject, containers: Iterable[AnyStorageContainer]) -> Iterator[Problem]:
    """By KServe's downloader, or by a storage container; a URI without a scheme is a path."""
    known = [*containers]
    for path, component in subject.components():
        if (single := _single(path, component)) is None:
            continue
        where, uri = single
        match = _SCHEME.match(uri)
        if match is None or match[1] in SCHEMES or any(matches(item, uri) for item in known):
            continue
        message = (
            f"nobody fetches {shown(uri)}; KServe knows {listed(SCHEMES)}, and others by a "
            "ClusterStorageContainer: add it"
        )
        yield Code.BAD_STORAGE_URI.at(where, message)


def mount_paths(subject: Subject) -> Iterator[Problem]:
    for path, component in subject.components():
        mounts = [(index, item) for index, item in enumerate(component.storage_uris)]
        for index, item in mounts:
            where = (*path, "storageUris", index, "mountPath")
            parts = item.mount_path.split("/")
            if ".." in parts or posixpath.normpath(item.mount_path) in ("/", "//"):
                message = f"{shown(item.mount_path)} cannot hold a model; name a folder below /"
                yield Code.STORAGE_CLASH.at(where, message)
        yield from _together(path, component)


def _together(path: Path, component: ComponentSpec) -> Iterator[Problem]:
    """What is downloaded shares one volume at a common folder; claims are volumes of their own."""
    claims = [i for i in component.storage_uris if i.uri.startswith("pvc://")]
    others = [i.mount_path for i in component.storage_uris if not i.uri.startswith("pvc://")]
    if len(others) > 1 and posixpath.commonpath(others) == "/":
        message = (
            f"{listed(others)} share no folder below /; put them into one, as /mnt/models/a and "
            "/mnt/models/b"
        )
        yield Code.STORAGE_CLASH.at((*path, "storageUris"), message)
    taken = [item.mount_path for item in claims]
    for twice in sorted({p for p in taken if taken.count(p) > 1}):
        message = f"{shown(twice)} is the place of two claims; give each its own"
        yield Code.STORAGE_CLASH.at((*path, "storageUris"), message)


def confidential(subject: Subject) -> Iterator[Problem]:
    for path, predictor in subject.predictors():
        for where, extension in _extensions(path, predictor):
            if extension.confidential is None or not extension.confidential.enabled:
                continue
            resource = extension.confidential.resource_id
            uri = extension.storage_uri or ""
            if not uri:
                message = "a confidential model needs a storageUri; add it"
                yield Code.CONFIDENTIAL.at((*where, "confidential"), message)
            if resource is not None and not _RESOURCE_ID.fullmatch(resource):
                message = f"{shown(resource)} names no key; write kbs:///repository/type/tag"
                yield Code.CONFIDENTIAL.at((*where, "confidential", "resourceId"), message)
            if uri.partition("://")[0] in _UNSAFE:
                message = f"{shown(uri)} is not decrypted when it is fetched; use another scheme"
                yield Code.CONFIDENTIAL_SCHEME.at((*where, "storageUri"), message)


def _single(path: Path, component: ComponentSpec) -> tuple[Path, str] | None:
    if isinstance(component, PredictorSpec):
        for where, extension in _extensions(path, component):
            if extension.storage_uri:
                return (*where, "storageUri"), extension.storage_uri
    for index, container in enumerate(component.containers):
        if uri := env_value(container, "STORAGE_URI"):
            return (*path, "containers", index, "env"), uri
    return None


def _extensions(
    path: Path, predictor: PredictorSpec
) -> Iterator[tuple[Path, PredictorExtensionSpec]]:
    for where, container in implementations(path, predictor):
        if isinstance(container, PredictorExtensionSpec):
            yield where, container
