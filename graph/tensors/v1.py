"""V1, KServe's first protocol, which is TensorFlow Serving's: rows called `instances` in a request
and `predictions` in an answer.

V1 names no datatypes and mostly no tensors. Read, whole numbers are INT64 (UINT64 beyond it),
numbers with a fraction among them FP64, booleans BOOL, strings and `{"b64": ...}` BYTES; the shape
is that of the nesting. Rows that are objects are a tensor for each name; a lone tensor is called
`input-0` or `output-0`, as KServe calls it. Columns (`inputs`, `outputs`) are read, too. Written
are rows: of values if there is one tensor, of objects if there are more. V1 has no id, no
parameters and no outputs asked for by name: these are left behind.
"""

import json
from base64 import b64decode, b64encode
from itertools import chain
from math import prod
from typing import Any, Final

import msgspec

from graph.tensors import bounds
from graph.tensors.datatypes import DATATYPES, WORDS, checked, json_ready
from graph.tensors.model import MAX_DIMENSIONS, Inference, Side, Tensor, TensorError

ROWS: Final = {Side.REQUEST: "instances", Side.ANSWER: "predictions"}
_COLUMNS: Final = {Side.REQUEST: "inputs", Side.ANSWER: "outputs"}
_B64: Final = "b64"
_EMPTY_ROWS: Final = 65_536  # more are no answer to anything


def read(body: bytes, side: Side) -> Inference:
    said = _decode(body, side)
    lone = f"{side.value}-0"
    if (rows := said.get(ROWS[side])) is not None:
        if not isinstance(rows, list):
            raise TensorError(f"{ROWS[side]} is no array")
        if rows and isinstance(rows[0], dict) and _B64 not in rows[0]:
            return Inference(_named(rows, side), named=True)
        return Inference([_tensor(lone, rows)])
    columns = said.get(_COLUMNS[side])
    if columns is None:
        raise TensorError(f"there are no {ROWS[side]}")
    if isinstance(columns, dict) and _B64 not in columns:
        return Inference([_tensor(name, column) for name, column in columns.items()])
    return Inference([_tensor(lone, columns)])


def write(inference: Inference, side: Side) -> bytes:
    tensors = inference.tensors
    if len(tensors) == 1 and not inference.named:
        rows = _nested(tensors[0])
        return msgspec.json.encode({ROWS[side]: rows if tensors[0].shape else [rows]})
    counts = {tensor.shape[:1] for tensor in tensors}
    if len(counts) != 1 or counts == {()}:
        raise TensorError(
            "V1 has rows, for which all tensors need the same first dimension: "
            + ", ".join(f"{tensor.name[:40]!r} {list(tensor.shape)}" for tensor in tensors[:8])
        )
    names = [tensor.name for tensor in tensors]
    if len(set(names)) < len(names):
        raise TensorError("V1 has rows of names, but two tensors have the same")
    columns = [_nested(tensor) for tensor in tensors]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return msgspec.json.encode({ROWS[side]: rows})


def _decode(body: bytes, side: Side) -> dict[str, Any]:
    noun = "request" if side is Side.REQUEST else "answer"
    if (excess := bounds.excess(body)) is not None:
        raise TensorError(f"this V1 {noun} is too large: {excess}")
    try:
        try:
            said = msgspec.json.decode(body)
        except msgspec.DecodeError:
            said = json.loads(body)  # NaN and Infinity as bare words
    except (ValueError, RecursionError) as error:
        raise TensorError(f"this is no V1 {noun}: {str(error)[:200]}") from None
    if not isinstance(said, dict):
        raise TensorError(f"there are no {ROWS[side]}")
    return said


def _named(rows: list[Any], side: Side) -> list[Tensor]:
    names = rows[0].keys()
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or row.keys() != names:
            raise TensorError(f"{ROWS[side]}: row {index} has other names than row 0")
    return [_tensor(name, [row[name] for row in rows]) for name in names]


def _tensor(name: str, data: Any) -> Tensor:
    tensor = Tensor(name, "", ())
    shape: list[int] = []
    flat = [data]
    while flat and isinstance(flat[0], list):
        size = len(flat[0])
        if not all(type(row) is list and len(row) == size for row in flat):
            raise tensor.error("its rows are not all of one length")
        shape.append(size)
        if len(shape) > MAX_DIMENSIONS:
            raise tensor.error(f"more than {MAX_DIMENSIONS} dimensions")
        flat = list(chain.from_iterable(flat))
    tensor.shape = tuple(shape)
    tensor.datatype, tensor.data = _typed(tensor, flat)
    return tensor.check()


def _typed(tensor: Tensor, flat: list[Any]) -> tuple[str, list[Any]]:
    kinds = set(map(type, flat))
    if kinds <= {float}:  # an empty one, too
        return "FP64", flat
    if kinds == {int}:
        return "INT64" if max(flat) < 2**63 else "UINT64", flat
    if kinds == {int, float}:
        numbers = list(map(float, flat))
        if numbers != flat and not any(number != number for number in numbers):  # noqa: PLR0124
            raise tensor.error("integers among fractions that FP64 cannot hold exactly")
        return "FP64", numbers
    if kinds == {bool}:
        return "BOOL", flat
    if kinds & {int, float} and {e for e in flat if isinstance(e, str)} <= WORDS.keys():
        kinds.discard(str)
        if kinds <= {int, float}:
            return "FP64", checked(DATATYPES["FP64"], flat)
    if kinds <= {str, dict}:
        tensor.base64 = dict in kinds
        return "BYTES", [_bytes(tensor, element) for element in flat]
    names = ", ".join(sorted({_JSON_KINDS[kind] for kind in kinds}))
    raise tensor.error(f"one tensor cannot hold {names}")


_JSON_KINDS: Final = {
    str: "strings",
    int: "numbers",
    float: "numbers",
    bool: "booleans",
    type(None): "nulls",
    dict: "objects",
    list: "arrays",
}


def _bytes(tensor: Tensor, element: Any) -> bytes:
    try:
        if isinstance(element, str):
            return element.encode()
        if element.keys() == {_B64}:
            return b64decode(element[_B64], validate=True)
    except (ValueError, TypeError):
        pass
    raise tensor.error('an element is no text and no {"b64": ...}')


def _nested(tensor: Tensor) -> Any:
    """The values in lists as the shape says; of a scalar the value."""
    kind, values = tensor.kind, tensor.values()
    if kind.kind == "bytes":
        values = _texts(values, tensor.base64)
    elif kind.kind == "float":
        values = json_ready(kind, values)
    for axis in range(len(tensor.shape) - 1, 0, -1):
        size, rows = tensor.shape[axis], prod(tensor.shape[:axis])
        if rows > len(values) and rows > _EMPTY_ROWS:
            raise tensor.error(f"{rows} rows with nothing in them")
        values = [values[row * size : (row + 1) * size] for row in range(rows)]
    return values if tensor.shape else values[0]


def _texts(values: list[bytes], base64: bool) -> list[Any]:
    """All as text, or none: whoever reads them need not guess."""
    if not base64:
        try:
            return [value.decode() for value in values]
        except UnicodeDecodeError:
            pass
    return [{_B64: b64encode(value).decode()} for value in values]
