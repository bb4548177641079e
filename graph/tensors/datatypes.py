"""What each datatype of the Open Inference Protocol is: as raw bytes, as values, in a message.

Raw is little-endian and packed; BYTES are elements with their length, four bytes each, before them.
Values are Python's bool, int, float and bytes, and exact both ways: a value that a datatype cannot
hold is refused, never cut. JSON has no NaN and no infinities: the words of protobuf's JSON mapping
stand for them ("NaN", "Infinity", "-Infinity"; NumPy reads these too). The errors (ValueError) name
an element; whose it is, the caller knows.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from graph.tensors import bounds

Raw = bytes | bytearray | memoryview

BYTES: Final = "BYTES"
BF16: Final = "BF16"
WORDS: Final = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
    None: float("nan"),  # what JSON writers make of a NaN that they do not expect
}
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Datatype:
    name: str
    size: int  # of an element; 0: each has its own
    code: str  # of the struct module
    kind: str  # bool, int, float, bytes
    contents: str | None  # its field of InferTensorContents; None: raw only


DATATYPES: Final = {
    each.name: each
    for each in (
        Datatype("BOOL", 1, "?", "bool", "bool_contents"),
        Datatype("UINT8", 1, "B", "int", "uint_contents"),
        Datatype("UINT16", 2, "H", "int", "uint_contents"),
        Datatype("UINT32", 4, "I", "int", "uint_contents"),
        Datatype("UINT64", 8, "Q", "int", "uint64_contents"),
        Datatype("INT8", 1, "b", "int", "int_contents"),
        Datatype("INT16", 2, "h", "int", "int_contents"),
        Datatype("INT32", 4, "i", "int", "int_contents"),
        Datatype("INT64", 8, "q", "int", "int64_contents"),
        Datatype("FP16", 2, "e", "float", None),
        Datatype(BF16, 2, "f", "float", None),  # the code is that of the FP32 around it
        Datatype("FP32", 4, "f", "float", "fp32_contents"),
        Datatype("FP64", 8, "d", "float", "fp64_contents"),
        Datatype(BYTES, 0, "", "bytes", "bytes_contents"),
    )
}


def unpack(datatype: Datatype, raw: Raw) -> list[Any]:
    """Raw -> values."""
    if datatype.kind == "bytes":
        return _elements(raw)
    if len(raw) % datatype.size:
        raise ValueError(f"{len(raw)} bytes are no whole number of {datatype.name} elements")
    count = len(raw) // datatype.size
    if count > bounds.MAX_NUMBERS:
        raise ValueError(bounds.NUMBERS)
    if datatype.name == BF16:
        raw = _widened(raw)
    return list(struct.unpack(f"<{count}{datatype.code}", raw))


def pack(datatype: Datatype, values: Sequence[Any]) -> bytes:
    """Values -> raw."""
    if datatype.kind == "bytes":
        return _prefixed(values)
    try:
        if datatype.kind == "bool":
            raw = bytes(values)  # refuses whatever is no bool and no integer
            if raw.strip(b"\0\1"):
                raise ValueError
        else:
            raw = _packed(datatype, values)
    except (struct.error, OverflowError, TypeError, ValueError):
        raw = _packed(datatype, checked(datatype, values))
    return raw


def checked(datatype: Datatype, values: Sequence[Any]) -> list[Any]:
    """Values as JSON or a program gave them -> values of exactly the datatype's kind."""
    convert, plain = _CONVERT[datatype.kind]
    if set(map(type, values)) <= {plain} and _holds(datatype, values):
        return list(values)
    try:
        made = [convert(value) for value in values]
        if _holds(datatype, made):
            return made
    except (OverflowError, TypeError, ValueError):
        pass
    index = next(index for index, value in enumerate(values) if not _fits(datatype, value))
    raise ValueError(f"element {index}, {_shown(values[index])}, is no {datatype.name}")


def _fits(datatype: Datatype, value: Any) -> bool:
    convert, _ = _CONVERT[datatype.kind]
    try:
        return _holds(datatype, (convert(value),))
    except (OverflowError, TypeError, ValueError):
        return False


def _packed(datatype: Datatype, values: Sequence[Any]) -> bytes:
    raw = struct.pack(f"<{len(values)}{datatype.code}", *values)
    return _narrowed(raw) if datatype.name == BF16 else raw


def _holds(datatype: Datatype, values: Sequence[Any]) -> bool:
    """Values of the right kind are in its range."""
    if datatype.kind in {"bool", "bytes"}:
        return True
    try:
        _packed(datatype, values)
    except (struct.error, OverflowError):
        return False
    return True


def json_ready(datatype: Datatype, values: list[Any]) -> list[Any]:
    """Values of floats with words in place of what JSON has no number for."""
    # A sum that is finite is one of finite numbers; it costs a tenth of a look at each.
    if datatype.kind != "float" or isfinite(sum(values)):
        return values
    return [value if value - value == 0 else _word(value) for value in values]


def _bool(value: Any) -> bool:
    if value in (0, 1) and isinstance(value, bool | int | float):
        return bool(value)
    raise ValueError


def _int(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int):
        return int(value)
    raise ValueError


def _float(value: Any) -> float:
    if isinstance(value, float | int):
        return float(value)
    if value in WORDS:
        return WORDS[value]
    raise ValueError


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise ValueError


_CONVERT: Final[dict[str, tuple[Callable[[Any], Any], type]]] = {
    "bool": (_bool, bool),
    "int": (_int, int),
    "float": (_float, float),
    "bytes": (_bytes, bytes),
}


def _word(value: float) -> str:
    if value != value:  # noqa: PLR0124  that is what NaN is
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer of very many digits"
    return text if len(text) <= 40 else f"{text[:37]}..."


def _elements(raw: Raw) -> list[bytes]:
    data = bytes(raw)
    found: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        if len(found) == bounds.MAX_BYTES:
            raise ValueError(bounds.BYTES)
        start = at + 4
        at = start + (_LENGTH.unpack_from(data, at)[0] if start <= end else end)
        if at > end:
            raise ValueError(f"element {len(found)} reaches beyond the end of the bytes")
        found.append(data[start:at])
    return found


def _prefixed(values: Sequence[Any]) -> bytes:
    if len(values) > bounds.MAX_BYTES:
        raise ValueError(bounds.BYTES)
    parts: list[bytes] = []
    for value in checked(DATATYPES[BYTES], values):
        parts += (_LENGTH.pack(len(value)), value)
    return b"".join(parts)


def _widened(raw: Raw) -> bytearray:
    """BF16 is the upper half of an FP32."""
    wide = bytearray(2 * len(raw))
    wide[2::4], wide[3::4] = raw[0::2], raw[1::2]
    return wide


def _narrowed(wide: bytes) -> bytes:
    """To the nearest BF16, of two as near the even one; mostly there is nothing to round."""
    if wide[0::4].strip(b"\0") or wide[1::4].strip(b"\0"):
        count = len(wide) // 4
        words = struct.unpack(f"<{count}I", wide)
        return struct.pack(f"<{count}H", *map(_rounded, words))
    raw = bytearray(len(wide) // 2)
    raw[0::2], raw[1::2] = wide[2::4], wide[3::4]
    return bytes(raw)


def _rounded(word: int) -> int:
    if word & 0x7FFFFFFF > 0x7F800000:  # NaN: rounding could make it an infinity
        return word >> 16 | 0x40
    nearest = word + 0x7FFF + (word >> 16 & 1) >> 16
    if nearest & 0x7FFF == 0x7F80 and word & 0x7FFFFFFF != 0x7F800000:
        raise OverflowError
    return nearest
