"""What a request says beside its path: options, body, and the form that the answer shall have.

Bodies are bounded, in size and in depth, before anything looks into them. Every fault is an
`ApiError`. Nothing here knows the store.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

import msgspec
from aiohttp import web

from controller.api import protobuf
from controller.api.respond import encode
from controller.store.errors import ApiError, bad_request
from controller.store.refs import Json
from graph.grammar import nesting
from graph.loader.documents import read as read_yaml

MAX_BODY_BYTES = 3 * 1024 * 1024  # as the API server of a cluster
MAX_OBJECT_BYTES = 2 * MAX_BODY_BYTES  # the largest body, and the fields that somebody owns in it
MAX_DEPTH = 200  # as manifests in files
BODY_S = 60.0  # for all of it; who sends slower keeps memory and a descriptor for nothing

_JSON = "application/json"
_YAML = ("application/yaml", "application/x-yaml", "text/yaml")
_decode = msgspec.json.Decoder().decode


def media_type(request: web.Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def read_object(request: web.Request) -> Json:
    """The resource in the body. Its type must be told: a browser's form cannot tell this one."""
    kind = media_type(request)
    if kind == protobuf.MEDIA_TYPE:
        return protobuf.decode(await read_body(request))
    if kind != _JSON and kind not in _YAML:
        raise unsupported(kind, (_JSON, _YAML[0]))
    return parse(await read_body(request), is_yaml=kind != _JSON)


async def read_body(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise too_large(MAX_BODY_BYTES)
    except TimeoutError as error:
        raise ApiError(408, "Timeout", f"the body did not come within {BODY_S:g} s") from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise bad_request(f"the body broke off: {error}") from error
    return bytes(body)


def too_large(limit_bytes: int) -> ApiError:
    message = f"Request entity too large: limit is {limit_bytes}"
    return ApiError(413, "RequestEntityTooLarge", message)


def parse_list(body: bytes) -> list[Any]:
    value = _json(body)
    if not isinstance(value, list):
        raise bad_request("the body must be one JSON list")
    return value


def parse(body: bytes, *, is_yaml: bool) -> Json:
    value = _yaml(body) if is_yaml else _json(body)
    if not isinstance(value, dict):
        raise bad_request("the body must be one JSON object")
    return value


def _json(body: bytes) -> Any:
    depth = nesting(body)
    if depth is not None and depth > MAX_DEPTH:
        raise bad_request(f"nested more than {MAX_DEPTH} levels deep")
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"the body is no JSON: {error}") from error


def bounded(resource: Json) -> Json:
    """Raises RequestEntityTooLarge: patches can make what no body could bring."""
    body = encode(resource)
    if len(body) > MAX_OBJECT_BYTES:
        raise too_large(MAX_OBJECT_BYTES)
    if (nesting(body) or 0) > MAX_DEPTH:
        raise bad_request(f"nested more than {MAX_DEPTH} levels deep")
    return resource


def _yaml(body: bytes) -> Any:
    documents, problems = read_yaml(body, "body")
    if problems:
        raise bad_request("; ".join(str(problem) for problem in problems))
    if len(documents) != 1:
        raise bad_request(f"the body must be one document, not {len(documents)}")
    return documents[0][0]


def unsupported(given: str, known: tuple[str, ...]) -> ApiError:
    message = f"the body of the request was in an unknown format ({given or 'no Content-Type'})"
    accepted = ", ".join(known)
    return ApiError(415, "UnsupportedMediaType", f"{message} - accepted media types: {accepted}")


class Form(Enum):
    OBJECT = "object"
    TABLE = "table"


def form(request: web.Request) -> Form:
    """What the client can read, best first; Kubernetes writes the form into the media type."""
    accept = ",".join(request.headers.getall("Accept", ())) or "*/*"
    for offer in accept.split(","):
        media, *parameters = (part.strip() for part in offer.split(";"))
        said = dict(p.partition("=")[::2] for p in parameters)
        if media not in (_JSON, "application/*", "*/*"):
            continue
        if said.get("as") == "Table" and said.get("v") == "v1":
            return Form.TABLE
        if "as" not in said:
            return Form.OBJECT
    message = f"only the following media types are accepted: {_JSON}, {_JSON};as=Table"
    raise ApiError(406, "NotAcceptable", message)


class Unknown(StrEnum):
    """What becomes of fields that nobody knows."""

    REFUSED = "Strict"
    DROPPED_WITH_WARNING = "Warn"
    DROPPED = "Ignore"


@dataclass(frozen=True, slots=True)
class Options:
    """The query of a request, as far as all verbs share it."""

    query: Mapping[str, str]

    @property
    def dry_run(self) -> bool:
        given = self.query.get("dryRun", "")
        if given not in ("", "All"):
            raise bad_request(f"dryRun takes All, not {given!r}")
        return given == "All"

    @property
    def manager(self) -> str:
        return self.query.get("fieldManager", "")

    @property
    def labels(self) -> str:
        return self.query.get("labelSelector", "")

    @property
    def fields(self) -> str:
        return self.query.get("fieldSelector", "")

    @property
    def include(self) -> str:
        given = self.query.get("includeObject", "Metadata")
        if given not in ("None", "Metadata", "Object"):
            raise bad_request(f"includeObject takes None, Metadata or Object, not {given!r}")
        return given

    @property
    def exact_version(self) -> int | None:
        """None: the present state will do, which is at least as new as any version."""
        match = self.query.get("resourceVersionMatch", "")
        if match not in ("", "Exact", "NotOlderThan"):
            raise bad_request(f"resourceVersionMatch takes Exact or NotOlderThan, not {match!r}")
        return self.number("resourceVersion") if match == "Exact" else None

    @property
    def unknown_fields(self) -> Unknown:
        """Who says nothing wants to know: a misspelt key must not vanish."""
        given = self.query.get("fieldValidation") or Unknown.REFUSED
        if given not in [*Unknown]:
            raise bad_request(f"fieldValidation takes {', '.join(Unknown)}, not {given!r}")
        return Unknown(given)

    def flag(self, name: str) -> bool:
        given = self.query.get(name)
        if given is None:
            return False
        if given.lower() in ("true", "1", ""):
            return True
        if given.lower() in ("false", "0"):
            return False
        raise bad_request(f"{name} takes true or false, not {given!r}")

    def number(self, name: str) -> int | None:
        """0 or more; None if it is not given."""
        given = self.query.get(name, "")
        if not given:
            return None
        if not (given.isascii() and given.isdecimal() and len(given) <= 18):
            raise bad_request(f"{name} takes a whole number, not {given!r}")
        return int(given)
