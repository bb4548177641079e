"""V2's outputs as V2's inputs, in any form: the tensors' own bytes go over untouched, with names,
shapes and datatypes, and so do their parameters.

The id stays with the request all the way. Of the answer's own parameters `content_type` goes along,
which says how to read the tensors; the others speak of that answer only. Who answered in binary is
not the last: the next step is asked for binary outputs, too.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from graph.document import Document
from graph.effects import Headers, Payload
from graph.packed import JSON_LENGTH, Packed
from graph.tensors.message import HEADERS, Message
from graph.tensors.model import Side, TensorError
from graph.tensors.v2 import ALL_WANTED, CONTENT_TYPE

JSON: Final[Headers] = ((b"content-type", b"application/json"),)
_BINARY: Final = (b"content-type", b"application/octet-stream")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def is_answer(members: Mapping[str, bytes]) -> bool:
    """Of the raw members of a JSON object."""
    outputs = members.get("outputs", b"")
    return outputs.startswith(b"[") and b'"datatype"' in outputs and "inputs" not in members


def request(members: Mapping[str, bytes], answer: Document) -> Payload:
    """The request that this answer makes, with its tensors behind the JSON where they stood so."""
    tail = None
    if isinstance(answer, Packed) and answer.json_length:
        tail = memoryview(answer.opened)[int(answer.json_length) :]
    parts = [b'{"inputs":', members["outputs"]]
    if members.get("id", b"").startswith(b'"'):
        parts += (b',"id":', members["id"])
    parameters = _parameters(members.get("parameters", b""), tail is not None)
    if parameters:
        parts += (b',"parameters":', msgspec.json.encode(parameters))
    header = b"".join((*parts, b"}"))
    if tail is None:
        return Payload(Document(header), JSON)
    length = str(len(header)).encode()
    return Payload(Packed(b"".join((header, tail)), b"", length), (_BINARY, (JSON_LENGTH, length)))


def message(answer: Message) -> Payload | None:
    """The request; None if this is none of an answer."""
    if answer.side is Side.REQUEST:
        return None
    from graph.tensors.grpc import as_request  # noqa: PLC0415  protobuf is an extra

    try:
        return Payload(Message(as_request(answer.body), Side.REQUEST), HEADERS)
    except TensorError:
        return None


def _parameters(raw: bytes, in_binary: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {ALL_WANTED: True} if in_binary else {}
    try:
        content_type = _decode(raw).get(CONTENT_TYPE)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return kept
    return kept if content_type is None else {CONTENT_TYPE: content_type, **kept}
