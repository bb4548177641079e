"""storageUri -> a place on this disk: paths beside the manifest, `file://`, and what the URI map
says.

The map gives other URIs a local copy: `gs://kfserving-examples=./models` makes
`gs://kfserving-examples/sklearn/iris` the folder `./models/sklearn/iris`. Nothing is opened here,
and nothing is downloaded.
"""

import os.path
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath

from controller.storage.locations import LocalPath, locate
from controller.storage.outcome import FetchFailed


def parse_uri_map(entries: Iterable[str], folder: FilePath) -> dict[str, FilePath]:
    """`PREFIX=FOLDER` each; folders are relative to `folder`. ValueError says which one is none."""
    uri_map: dict[str, FilePath] = {}
    for entry in entries:
        prefix, found, target = entry.partition("=")
        if not found or not prefix or not target:
            raise ValueError(
                f"{entry!r} does not map a URI prefix to a folder; write "
                "PREFIX=FOLDER, for example gs://kfserving-examples=./models"
            )
        uri_map[prefix.rstrip("/")] = FilePath(os.path.normpath(folder / target))
    return uri_map


def mapped_path(uri: str, uri_map: Mapping[str, FilePath]) -> FilePath | None:
    for prefix in sorted(uri_map, key=len, reverse=True):  # the longest one knows best
        if uri == prefix or uri.startswith(prefix + "/"):
            rest = uri.removeprefix(prefix).strip("/")
            return FilePath(os.path.normpath(uri_map[prefix] / rest))
    return None


def local_path(
    uri: str, folder: FilePath, uri_map: Mapping[str, FilePath]
) -> FilePath | FetchFailed | None:
    """None: it lies elsewhere, and is fetched. `folder` is the manifest's."""
    if place := mapped_path(uri, uri_map):
        return place
    match locate(uri, folder):
        case LocalPath(path):
            return path
        case FetchFailed() as failed:
            return failed
    return None
