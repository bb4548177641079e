"""V2, the Open Inference Protocol over HTTP: JSON, and JSON with the binary tensor extension.

With the extension the body begins with a JSON header, as long as Inference-Header-Content-Length
says, and the raw bytes of tensors follow in the header's order; a tensor's `binary_data_size` says
how many are its own. On reading, these bytes stay memory of the body.

JSON has no bytes that are no text: elements of BYTES are strings, and base64 of all of them with
`"content_type": "base64"` among the tensor's parameters (as MLServer says it) if one is no UTF-8.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

import msgspec

from graph.tensors import bounds
from graph.tensors.datatypes import DATATYPES, json_ready
from graph.tensors.model import Inference, Parameters, Requested, Side, Tensor, TensorError

SIZE: Final = "binary_data_size"  # of a tensor: its share of the bytes after the header
WANTED: Final = "binary_data"  # of an output asked for: in binary, please
ALL_WANTED: Final = "binary_data_output"  # of a request: the same of each that says nothing itself
CONTENT_TYPE: Final = "content_type"
BASE64: Final = "base64"


class _Tensor(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    parameters: Parameters | None = None
    data: Any = msgspec.UNSET


class _Requested(msgspec.Struct):
    name: str
    parameters: Parameters | None = None


class _Request(msgspec.Struct):
    inputs: list[_Tensor]
    outputs: list[_Requested] | None = None
    id: str | None = None
    parameters: Parameters | None = None
    model_name: str | None = None
    model_version: str | None = None


class _Answer(msgspec.Struct):
    outputs: list[_Tensor]
    id: str | None = None
    parameters: Parameters | None = None
    model_name: str | None = None
    model_version: str | None = None


class _Size(msgspec.Struct):
    binary_data_size: int = 0


class _Sized(msgspec.Struct):
    parameters: _Size | None = None


class _Sizes(msgspec.Struct):
    outputs: list[_Sized]


_sizes = msgspec.json.Decoder(_Sizes)


def read(body: bytes, side: Side, header_length: int | None = None) -> Inference:
    """`header_length` with the binary extension; None: all of the body is JSON."""
    header, rest = body, memoryview(b"")
    if header_length is not None:
        if not 0 < header_length <= len(body):
            raise TensorError(
                f"a header of {header_length} bytes in a body of {len(body)} is not possible"
            )
        header, rest = body[:header_length], memoryview(body)[header_length:]
    said: _Request | _Answer = _decode(header, _Request if side is Side.REQUEST else _Answer, side)
    given = said.inputs if isinstance(said, _Request) else said.outputs
    tensors = []
    for each in given:
        tensor, rest = _tensor(each, rest)
        tensors.append(tensor)
    if rest:
        raise TensorError(f"{len(rest)} bytes after the last tensor belong to none")
    asked = (said.outputs if isinstance(said, _Request) else None) or ()
    return Inference(
        tensors,
        said.model_name or "",
        said.model_version or "",
        said.id or "",
        said.parameters or {},
        [Requested(each.name, each.parameters or {}) for each in asked],
    )


def write(
    inference: Inference, side: Side, in_binary: Callable[[str], bool] | None = None
) -> tuple[bytes, int | None]:
    """The body, and its header's length; None if all of it is JSON. `in_binary` says of a tensor's
    name whether its data goes after the header; without it nothing does.
    """
    said: dict[str, Any] = {}
    if side is Side.ANSWER:
        said["model_name"] = inference.model
        if inference.version:
            said["model_version"] = inference.version
    if inference.id:
        said["id"] = inference.id
    parts: list[Any] = []
    parameters = inference.parameters
    tensors = [_said(tensor, in_binary, parts) for tensor in inference.tensors]
    if side is Side.REQUEST:
        if in_binary is None:
            parameters = without(parameters, ALL_WANTED)
        said["inputs"] = tensors
        if inference.requested:
            said["outputs"] = [_asked(each, in_binary) for each in inference.requested]
    else:
        said["outputs"] = tensors
    if parameters:
        said["parameters"] = parameters
    header = msgspec.json.encode(said)
    if not parts:
        return header, None
    return b"".join([header, *parts]), len(header)


def binary_size(header: bytes) -> int | None:
    """How many bytes of tensors an answer's JSON says are behind it; None if it is no answer."""
    try:
        outputs = _sizes.decode(header).outputs
    except (msgspec.DecodeError, RecursionError):
        return None
    return sum(each.parameters.binary_data_size for each in outputs if each.parameters)


def wants_binary(request: Inference) -> Callable[[str], bool]:
    """Of an output's name: did the request ask for it in binary?"""
    every = request.parameters.get(ALL_WANTED) is True
    asked = {each.name: each.parameters.get(WANTED, every) is True for each in request.requested}
    return lambda name: asked.get(name, every)


def asks_binary(request: Inference) -> bool:
    """Of any output."""
    return request.parameters.get(ALL_WANTED) is True or any(
        each.parameters.get(WANTED) is True for each in request.requested
    )


def without(parameters: Parameters, *names: str) -> Parameters:
    return {name: value for name, value in parameters.items() if name not in names}


def _decode(header: bytes, kind: type[Any], side: Side) -> Any:
    noun = "request" if side is Side.REQUEST else "answer"
    if (excess := bounds.excess(header)) is not None:
        raise TensorError(f"this inference {noun} is too large: {excess}")
    try:
        try:
            return msgspec.json.decode(header, type=kind)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Servers in Python and Triton write NaN and Infinity as bare words.
            value = json.loads(header, parse_constant=str)
            msgspec.json.encode(value)  # refuses half surrogates, which nobody could pass on
            return msgspec.convert(value, kind)
    except (ValueError, RecursionError) as error:
        raise TensorError(f"this is no V2 inference {noun}: {str(error)[:200]}") from None


def _tensor(given: _Tensor, rest: memoryview) -> tuple[Tensor, memoryview]:
    """The tensor, and what is left of the bytes after the header."""
    parameters = given.parameters or {}
    tensor = Tensor(given.name, given.datatype, tuple(given.shape), parameters)
    if SIZE in parameters:
        size = parameters[SIZE]
        tensor.parameters = without(parameters, SIZE)
        if type(size) is not int or size < 0:
            raise tensor.error(f"{SIZE} is no number of bytes")
        if given.data is not msgspec.UNSET:
            raise tensor.error(f"both data and {SIZE}")
        if size > len(rest):
            raise tensor.error(f"{SIZE} is {size}, but only {len(rest)} bytes are left")
        tensor.data, rest = rest[:size], rest[size:]
        return tensor.check(), rest
    if given.data is msgspec.UNSET:
        raise tensor.error(f"neither data nor {SIZE} (shared memory cannot be passed on)")
    tensor.data = _flat(tensor, given.data)
    if parameters.get(CONTENT_TYPE) == BASE64 and tensor.kind is DATATYPES["BYTES"]:
        tensor.parameters = without(parameters, CONTENT_TYPE)
        tensor.data = _from_base64(tensor, tensor.data)
    return tensor.check(), rest


def _flat(tensor: Tensor, data: Any) -> list[Any]:
    """Row-major, whether it came flat or nested as the shape says."""
    if not isinstance(data, list):
        if tensor.shape:
            raise tensor.error("its data is no array")
        return [data]
    flat: list[Any] = data
    if not flat or not isinstance(flat[0], list):
        return flat
    nested = tensor.shape[:1] == (len(flat),)
    for size in tensor.shape[1:]:
        if not nested or not all(type(row) is list and len(row) == size for row in flat):
            nested = False
            break
        flat = list(chain.from_iterable(flat))
    if not nested or (flat and isinstance(flat[0], list)):
        raise tensor.error(f"its data is not nested as its shape {list(tensor.shape)} says")
    return flat


def _from_base64(tensor: Tensor, data: list[Any]) -> list[bytes]:
    try:
        return [b64decode(element, validate=True) for element in data]
    except (ValueError, TypeError):
        raise tensor.error(f"its {CONTENT_TYPE} is {BASE64}, but an element is not") from None


def _said(
    tensor: Tensor, in_binary: Callable[[str], bool] | None, parts: list[Any]
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": tensor.name,
        "shape": tensor.shape,
        "datatype": tensor.datatype,
    }
    parameters = tensor.parameters
    if in_binary is not None and in_binary(tensor.name):
        raw = tensor.raw()
        parts.append(raw)
        said["parameters"] = {**parameters, SIZE: len(raw)}
        return said
    data, parameters = _json(tensor, parameters)
    if parameters:
        said["parameters"] = parameters
    said["data"] = data
    return said


def _json(tensor: Tensor, parameters: Parameters) -> tuple[Any, Parameters]:
    kind, values = tensor.kind, tensor.values()
    if kind.kind == "bytes":
        try:
            return [value.decode() for value in values], parameters
        except UnicodeDecodeError:
            coded = [b64encode(value).decode() for value in values]
            return coded, {**parameters, CONTENT_TYPE: BASE64}
    return json_ready(kind, values), parameters


def _asked(each: Requested, in_binary: Callable[[str], bool] | None) -> dict[str, Any]:
    parameters = each.parameters if in_binary is not None else without(each.parameters, WANTED)
    return {"name": each.name, "parameters": parameters} if parameters else {"name": each.name}
