"""ModelInferRequest and ModelInferResponse: the neutral model to and from their bytes.

The raw contents of tensors are the last field of either message and by far the most of its bytes.
They are cut out of the message, and put behind it, here, so that they are never copied into a
protobuf object: `split` leaves a message without them (the head), which protobuf parses, and memory
of the body. Written tensors are always raw, as Triton writes them.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from graph.tensors import bounds, messages, v2
from graph.tensors.datatypes import Raw
from graph.tensors.model import (
    MAX_DIMENSIONS,
    Inference,
    Parameters,
    Requested,
    Side,
    Tensor,
    TensorError,
)

MAX_FIELDS: Final = 10_000  # of a message: tensors and parameters are some, ever so few bytes each
_RAW_FIELD: Final = {Side.REQUEST: 7, Side.ANSWER: 6}
_MESSAGE: Final = {
    Side.REQUEST: messages.ModelInferRequest,
    Side.ANSWER: messages.ModelInferResponse,
}
_CONTENT_TYPE: Final = b"\x0a\x0ccontent_type"  # the key, as an entry of parameters begins
_CUT = "the message is cut off"


def read(body: Raw, side: Side) -> Inference:
    head, raws = split(body, side)
    message = parse(head, side)
    given = message.inputs if side is Side.REQUEST else message.outputs
    if raws and len(raws) != len(given):
        raise TensorError(f"{len(raws)} raw contents for {len(given)} tensors")
    tensors = [
        _tensor(each, raws[index] if raws else None, side) for index, each in enumerate(given)
    ]
    asked = message.outputs if side is Side.REQUEST else ()
    return Inference(
        tensors,
        message.model_name,
        message.model_version,
        message.id,
        _parameters(message.parameters),
        [Requested(each.name, _parameters(each.parameters)) for each in asked],
    )


def write(inference: Inference, side: Side) -> bytes:
    message = _MESSAGE[side](
        model_name=inference.model, model_version=inference.version, id=inference.id
    )
    _fill(message.parameters, v2.without(inference.parameters, v2.ALL_WANTED))
    tensors = message.inputs if side is Side.REQUEST else message.outputs
    for tensor in inference.tensors:
        made = tensors.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        _fill(made.parameters, tensor.parameters)
    for each in inference.requested if side is Side.REQUEST else ():
        _fill(
            message.outputs.add(name=each.name).parameters, v2.without(each.parameters, v2.WANTED)
        )
    return join(message.SerializeToString(), [tensor.raw() for tensor in inference.tensors], side)


def header(body: Raw, side: Side) -> bytes:
    """What conditions see of a message: its JSON without data, in V2's words. b"" of no message."""
    try:
        message = parse(split(body, side)[0], side)
        tensors = message.inputs if side is Side.REQUEST else message.outputs
        said: dict[str, Any] = {
            "model_name": message.model_name,
            "model_version": message.model_version,
            "id": message.id,
            "parameters": _parameters(message.parameters),
            "inputs" if side is Side.REQUEST else "outputs": [_described(each) for each in tensors],
        }
    except TensorError:
        return b""
    if side is Side.REQUEST:
        said["outputs"] = [_described(each) for each in message.outputs]
    return msgspec.json.encode({name: value for name, value in said.items() if value})


def as_request(answer: Raw) -> bytes:
    """A ModelInferResponse as the ModelInferRequest with the same tensors. Both messages write a
    tensor alike, so its fields keep their bytes; model name and version stay behind, and of the
    parameters all but the content type.
    """
    kept: list[Raw] = []
    for number, field, content in fields(answer):
        match number:
            case 3 | 5:  # id, outputs: the numbers of id, inputs
                kept.append(field)
            case 4 if bytes(content[: len(_CONTENT_TYPE)]) == _CONTENT_TYPE:
                kept.append(field)
            case 6:
                kept += (b"\x3a" + to_varint(len(content)), content)
    return b"".join(kept)


def parse(head: bytes, side: Side) -> Any:
    """Numbers in typed contents take a byte of the message and eight of memory."""
    if len(head) > bounds.MAX_TYPED_BYTES:
        raise TensorError(bounds.TYPED)
    try:
        return _MESSAGE[side].FromString(head)
    except messages.DecodeError:
        raise TensorError(f"this is no {_MESSAGE[side].DESCRIPTOR.name} message") from None


def split(body: Raw, side: Side) -> tuple[bytes, list[memoryview]]:
    """The message without its raw contents, and these: memory of the body."""
    raw_field = _RAW_FIELD[side]
    kept: list[memoryview] = []
    raws: list[memoryview] = []
    for number, field, content in fields(body):
        if number == raw_field and content is not field:
            raws.append(content)
        else:
            kept.append(field)
    return b"".join(kept), raws


def fields(body: Raw) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Of a message: the number of each field, all its bytes, and the content of one with a length
    (of another all its bytes again).
    """
    memory = memoryview(body)
    at, end, found = 0, len(memory), 0
    while at < end:
        found += 1
        if found > MAX_FIELDS:
            raise TensorError(f"a message of more than {MAX_FIELDS} fields")
        start = content = at
        tag, at = varint(memory, at)
        match tag & 7:
            case 2:
                length, content = varint(memory, at)
                at = content + length
            case 0:
                at = varint(memory, at)[1]
            case 1:
                at += 8
            case 5:
                at += 4
            case _:
                raise TensorError("this is no message of the gRPC inference service")
        if at > end:
            raise TensorError(_CUT)
        field = memory[start:at]
        yield tag >> 3, field, field if content == start else memory[content:at]


def join(head: bytes, raws: list[Raw], side: Side) -> bytes:
    tag = bytes([_RAW_FIELD[side] << 3 | 2])
    parts: list[Raw] = [head]
    for raw in raws:
        parts += (tag + to_varint(len(raw)), raw)
    return b"".join(parts)


def varint(memory: memoryview, at: int) -> tuple[int, int]:
    """The number at this place, and the place after it."""
    value = shift = 0
    try:
        while (byte := memory[at]) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            at += 1
            if shift >= 70:
                raise TensorError("a number of more than ten bytes")
    except IndexError:
        raise TensorError(_CUT) from None
    return value | byte << shift, at + 1


def to_varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def _tensor(given: Any, raw: memoryview | None, side: Side) -> Tensor:
    # KServe's server leaves this one among them, which is of the binary extension.
    parameters = v2.without(_parameters(given.parameters), v2.SIZE)
    tensor = Tensor(given.name, given.datatype, (), parameters)
    if len(given.shape) > MAX_DIMENSIONS:
        raise tensor.error(f"{len(given.shape)} dimensions, more than {MAX_DIMENSIONS}")
    tensor.shape = tuple(given.shape)
    typed = given.HasField("contents")
    if raw is not None:
        if typed and given.contents.ByteSize():
            raise tensor.error("both raw contents and contents of its own")
        tensor.data = raw
    else:
        field = tensor.kind.contents
        if field is not None:
            tensor.data = list(getattr(given.contents, field))
        elif tensor.count:
            raise tensor.error(f"{tensor.datatype} has raw contents only, and there are none")
    return tensor.check()


def _described(given: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"name": given.name}
    if "datatype" in given.DESCRIPTOR.fields_by_name:  # an output asked for has a name only
        said["datatype"] = given.datatype
        said["shape"] = list(given.shape[: MAX_DIMENSIONS + 1])
    if given.parameters:
        said["parameters"] = _parameters(given.parameters)
    return said


def _parameters(given: Any) -> Parameters:
    found: Parameters = {}
    for name, parameter in given.items():
        choice = parameter.WhichOneof("parameter_choice")
        if choice is None:
            continue
        value = getattr(parameter, choice)
        if isinstance(value, float) and not math.isfinite(value):
            value = {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        found[name] = value
    return found


def _fill(parameters: Any, given: Parameters) -> None:
    """gRPC knows no null (left out), and no list or object: these are text, in JSON."""
    for name, value in given.items():
        match value:
            case None:
                continue
            case bool():
                parameters[name].bool_param = value
            case int() if -(2**63) <= value < 2**63:
                parameters[name].int64_param = value
            case int() if 0 <= value < 2**64:
                parameters[name].uint64_param = value
            case float():
                parameters[name].double_param = value
            case str():
                parameters[name].string_param = value
            case _:
                parameters[name].string_param = msgspec.json.encode(value).decode()
