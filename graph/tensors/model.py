"""The neutral model of an inference request or answer: what all wire forms say, in none of them.

A tensor's data stays in the form in which it came, raw bytes or values, until somebody asks for the
other: `raw()` and `values()`. A raw tensor that goes from one raw form to another is never looked
at. What is wrong is a TensorError whose text names the tensor and the reason, fit for a client.

    tensor = Tensor("scores", "FP32", (2, 3), data=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    tensor.raw()      # 24 bytes, little-endian
    tensor.values()   # flat, row-major: floats here; bool, int or bytes for other datatypes
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import prod
from typing import Any, Final

from graph.tensors.datatypes import DATATYPES, Datatype, Raw, checked, pack, unpack

MAX_DIMENSIONS: Final = 64
LARGEST: Final = 2**63 - 1  # a dimension is an int64

Parameters = dict[str, Any]  # bool, int, float and str; what JSON may hold beside, in JSON only


class TensorError(ValueError):
    """A body is no inference request or answer, or cannot be said in another form."""


class Side(Enum):
    """Requests have inputs, answers have outputs. The value is the word for one of them."""

    REQUEST = "input"
    ANSWER = "output"


@dataclass(slots=True)
class Tensor:
    name: str
    datatype: str  # BOOL, UINT8, ... FP64, BYTES
    shape: tuple[int, ...]
    parameters: Parameters = field(default_factory=dict)
    data: Raw | Sequence[Any] = ()  # raw bytes, or flat values; what JSON gave is not checked yet
    base64: bool = False  # V1: its BYTES are written as base64, even if they are text

    @property
    def kind(self) -> Datatype:
        try:
            return DATATYPES[self.datatype]
        except KeyError:
            raise self.error(f"unknown datatype {self.datatype[:40]!r}") from None

    @property
    def count(self) -> int:
        """How many elements the shape says."""
        return prod(self.shape)

    @property
    def is_raw(self) -> bool:
        return isinstance(self.data, bytes | bytearray | memoryview)

    def check(self) -> "Tensor":
        """Itself, if the data is as long as shape and datatype say. Elements are not looked at, so
        the number of raw BYTES is not known before `values()`.
        """
        kind, shape = self.kind, self.shape
        if len(shape) > MAX_DIMENSIONS:
            raise self.error(f"{len(shape)} dimensions, more than {MAX_DIMENSIONS}")
        if any(not 0 <= size <= LARGEST for size in shape):
            raise self.error(f"shape {list(shape)} has a dimension out of range")
        count, size = self.count, kind.size
        if not self.is_raw:
            self._expect(len(self.data), count, "values")
        elif size:
            self._expect(len(self.data), count * size, "bytes")
        elif len(self.data) < 4 * count:
            self._expect(len(self.data), 4 * count, "bytes, or more")
        return self

    def raw(self) -> Raw:
        """Little-endian bytes; memory of the body where they came so."""
        if isinstance(self.data, bytes | bytearray | memoryview):
            return self.data
        try:
            return pack(self.kind, self.data)
        except ValueError as error:
            raise self.error(str(error)) from None

    def values(self) -> list[Any]:
        """Flat, row-major, of the kind that the datatype has, as many as the shape says."""
        try:
            if isinstance(self.data, bytes | bytearray | memoryview):
                found = unpack(self.kind, self.data)
            else:
                found = checked(self.kind, self.data)
        except ValueError as error:
            raise self.error(str(error)) from None
        self._expect(len(found), self.count, "values")
        return found

    def error(self, reason: str) -> TensorError:
        return TensorError(f"tensor {self.name[:100]!r}: {reason}")

    def _expect(self, found: int, wanted: int, what: str) -> None:
        if found != wanted:
            raise self.error(
                f"{found} {what}, but {self.datatype} of shape {list(self.shape)} has {wanted}"
            )


@dataclass(slots=True)
class Requested:
    """An output that a request asks for."""

    name: str
    parameters: Parameters = field(default_factory=dict)


@dataclass(slots=True)
class Inference:
    """A request (`tensors` are its inputs) or an answer (they are its outputs)."""

    tensors: list[Tensor]
    model: str = ""
    version: str = ""
    id: str = ""
    parameters: Parameters = field(default_factory=dict)
    requested: list[Requested] = field(default_factory=list)  # of a request: none named means all
    named: bool = False  # V1: rows are objects, even with one tensor
