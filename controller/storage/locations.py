"""storageUri -> what it names: a path, a volume, a bucket, a file on the web, a model of a hub.

Pure: nothing is looked up, neither the disk nor the network. What is refused says what to write
instead. A URI may hold a secret (a signature in its query, a password): `redacted` is the form for
logs and messages.
"""

import os.path
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from controller.storage.names import safe_name
from controller.storage.outcome import FetchFailed, Reason

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_AZURE_BLOB = re.compile(r"https://([a-z0-9-]+)(?:\.z[0-9]+)?\.blob\.core\.windows\.net/(.+)")
_HUB_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class Family(StrEnum):
    """Whose credentials open it."""

    S3 = "s3"
    GOOGLE = "google"
    AZURE = "azure"
    WEB = "web"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class LocalPath:
    path: Path


@dataclass(frozen=True, slots=True)
class Volume:
    """A place in a PersistentVolumeClaim, for which this machine has a folder."""

    claim: str
    inside: str


@dataclass(frozen=True, slots=True)
class Bucket:
    family: Literal[Family.S3, Family.GOOGLE]
    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Blobs:
    """A container of Azure's blob storage; `signature` is the query of a shared access URL."""

    account: str
    container: str
    prefix: str
    signature: str = field(default="", repr=False)
    family: Literal[Family.AZURE] = Family.AZURE


@dataclass(frozen=True, slots=True)
class WebFile:
    url: str = field(repr=False)
    name: str
    family: Literal[Family.WEB] = Family.WEB


@dataclass(frozen=True, slots=True)
class HubModel:
    repository: str
    revision: str | None
    family: Literal[Family.HUB] = Family.HUB


Remote = Bucket | Blobs | WebFile | HubModel
Location = LocalPath | Volume | Remote


def scheme_of(uri: str) -> str | None:
    """In lower case; None for a path."""
    found = _SCHEME.match(uri)
    return found[1].lower() if found else None


def redacted(uri: str) -> str:
    """Without what may be a secret: user and password, query, fragment."""
    if scheme_of(uri) is None:
        return uri
    scheme, _, rest = uri.partition("://")
    authority, slash, path = rest.partition("/")
    if scheme.lower() in ("http", "https"):
        path = re.split(r"[?#]", path, maxsplit=1)[0]
        authority = re.split(r"[?#]", authority, maxsplit=1)[0]
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def locate(uri: str, folder: Path) -> Location | FetchFailed:
    """`folder`: where a relative path begins."""
    scheme = scheme_of(uri)
    if not uri:
        return FetchFailed(Reason.BAD_URI, "the URI is empty; write a path or a URI")
    if scheme is None:
        return LocalPath(Path(os.path.normpath(folder / uri)))
    rest = uri.partition("://")[2]
    match scheme:
        case "file":
            return _file(uri, rest)
        case "pvc":
            return _volume(uri, rest)
        case "s3" | "gs":
            return _bucket(Family.S3 if scheme == "s3" else Family.GOOGLE, uri, rest)
        case "hf":
            return _hub(uri, rest)
        case "http" | "https":
            return _web(uri)
    return unsupported(uri)


def unsupported(uri: str) -> FetchFailed:
    scheme = scheme_of(uri)
    return FetchFailed(
        Reason.UNSUPPORTED,
        f"{scheme}:// is not fetched on this machine; map {redacted(uri)} to a local copy with "
        f"--uri-map, or add a StorageContainer whose command fetches {scheme}://",
    )


def _bad(message: str) -> FetchFailed:
    return FetchFailed(Reason.BAD_URI, message)


def _file(uri: str, rest: str) -> LocalPath | FetchFailed:
    host, _, path = rest.partition("/")
    if host not in ("", "localhost"):
        return _bad(f"{redacted(uri)} names the host {host}; write file:///PATH with three slashes")
    return LocalPath(Path(os.path.normpath("/" + unquote(path))))


def _volume(uri: str, rest: str) -> Volume | FetchFailed:
    claim, _, inside = rest.partition("/")
    plain = safe_name(inside) if inside.strip("/") else ""
    if not claim or plain is None:
        return _bad(f"{redacted(uri)} names no place in a volume; write pvc://CLAIM/PATH")
    return Volume(claim, plain)


def _bucket(family: Literal[Family.S3, Family.GOOGLE], uri: str, rest: str) -> Bucket | FetchFailed:
    bucket, _, prefix = rest.partition("/")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", bucket):
        return _bad(f"{redacted(uri)} names no bucket; write {scheme_of(uri)}://BUCKET/PATH")
    return Bucket(family, bucket, prefix)


def _hub(uri: str, rest: str) -> HubModel | FetchFailed:
    repository, colon, revision = rest.partition(":")
    words = repository.split("/")
    if len(words) != 2 or not all(map(_HUB_WORD.fullmatch, words)) or (colon and not revision):
        return _bad(
            f"{redacted(uri)} names no model; write hf://OWNER/MODEL or hf://OWNER/MODEL:REVISION"
        )
    return HubModel(repository, revision or None)


def _web(uri: str) -> Blobs | WebFile | FetchFailed:
    try:
        parts = urlsplit(uri)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if not port_is_fine or not parts.hostname:
        return _bad(f"{redacted(uri)} is no URL; write https://HOST/PATH/FILE")
    if parts.hostname.endswith(".file.core.windows.net") or parts.path.endswith(".git"):
        return unsupported(uri)
    if azure := _AZURE_BLOB.match(uri):
        container, _, prefix = unquote(parts.path).strip("/").partition("/")
        return Blobs(azure[1], container, prefix, parts.query)
    if parts.hostname.endswith(".blob.core.windows.net"):
        message = "an Azure blob URI is https://ACCOUNT.blob.core.windows.net/CONTAINER/PATH"
        return _bad(message)
    name = unquote(parts.path).rpartition("/")[2]
    if not safe_name(name) or name in (".", ".."):
        return _bad(f"{redacted(uri)} names no file; write https://HOST/PATH/FILE")
    return WebFile(uri, name)
