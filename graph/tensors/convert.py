"""Bodies to and from the neutral model, whatever their protocol and packing.

A body that goes over in binary stays binary: from the binary extension to gRPC and back no element
is looked at. What cannot be read, or said in the other protocol, is a TensorError.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec

from graph.document import Document, Form
from graph.effects import Headers
from graph.packed import JSON_LENGTH, Packed
from graph.tensors import message, v1, v2
from graph.tensors.model import Inference, Side, TensorError

JSON: Final[Headers] = ((b"content-type", b"application/json"),)
_LENGTH: Final = re.compile(rb"[0-9]{1,99}")  # thousands are more than `int` reads
_BINARY: Final = (b"content-type", b"application/octet-stream")


class Protocol(Enum):
    V1 = "V1"
    V2 = "V2"  # over HTTP, with the binary extension or without
    GRPC = "gRPC"  # V2's


class _Keys(msgspec.Struct):
    instances: msgspec.Raw = msgspec.Raw(b"")
    predictions: msgspec.Raw = msgspec.Raw(b"")
    inputs: msgspec.Raw = msgspec.Raw(b"")
    outputs: msgspec.Raw = msgspec.Raw(b"")


_keys = msgspec.json.Decoder(_Keys)


def protocol_of(document: Document, side: Side) -> Protocol | None:
    """Which protocol this body speaks, by the names in it; None: no inference that we know."""
    if isinstance(document, message.Message):
        return Protocol.GRPC
    if isinstance(document, Packed) and document.json_length:
        return Protocol.V2
    try:
        found = _keys.decode(document.json)
    except msgspec.ValidationError:
        return None
    except RecursionError:
        return None
    except msgspec.DecodeError:
        # Bare NaN is no JSON, but servers of both protocols write it.
        if b"NaN" not in document.json and b"Infinity" not in document.json:
            return None
        rows = v1.ROWS[side].encode()
        return Protocol.V1 if b'"' + rows + b'"' in document.json[:1024] else Protocol.V2
    rows, tensors = (
        (found.instances, found.inputs)
        if side is Side.REQUEST
        else (found.predictions, found.outputs)
    )
    if len(rows):
        return Protocol.V1
    if not len(tensors):
        return None
    return Protocol.V2 if _are_tensors(bytes(tensors)) else Protocol.V1


def decode(document: Document, protocol: Protocol, side: Side) -> Inference:
    if protocol is Protocol.GRPC:
        from graph.tensors import grpc  # noqa: PLC0415  protobuf is an extra

        return grpc.read(document.body, side)
    body, length = document.body, None
    if isinstance(document, Packed):
        body = document.opened
        if not body:
            raise TensorError("the body cannot be decompressed")
        if document.json_length:
            if not _LENGTH.fullmatch(document.json_length):
                raise TensorError("Inference-Header-Content-Length is no number")
            length = int(document.json_length)
    return v1.read(body, side) if protocol is Protocol.V1 else v2.read(body, side, length)


def encode(
    inference: Inference,
    protocol: Protocol,
    side: Side,
    in_binary: Callable[[str], bool] | None = None,
) -> tuple[Document, Headers]:
    """The body and the headers that describe it. `in_binary`: see `v2.write`."""
    if protocol is Protocol.GRPC:
        from graph.tensors import grpc  # noqa: PLC0415

        return message.Message(grpc.write(inference, side), side), message.HEADERS
    if protocol is Protocol.V1:
        return Document(v1.write(inference, side)), JSON
    body, length = v2.write(inference, side, in_binary)
    if length is None:
        return Document(body), JSON
    text = str(length).encode()
    return Packed(body, b"", text), (_BINARY, (JSON_LENGTH, text))


def in_full(document: Document, side: Side) -> Document:
    """With the data of tensors in its JSON, for who looks at more than a header. What cannot be
    converted stays as it is.
    """
    if document.form is Form.PLAIN:
        return document
    protocol = Protocol.GRPC if document.form is Form.MESSAGE else Protocol.V2
    try:
        return encode(decode(document, protocol, side), Protocol.V2, side)[0]
    except TensorError:
        return document


def _are_tensors(raw: bytes) -> bool:
    """V2's: an array of objects with a datatype. V1's columns are something else."""
    return (
        raw.startswith(b"[")
        and raw[1:].lstrip().startswith((b"{", b"]"))
        and (b'"datatype"' in raw or len(raw) <= 16)
    )
