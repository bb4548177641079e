"""Several inference answers as one: mean, weighted mean, vote, concatenation.

Works on the neutral model, so V1, V2 in JSON or with binary tensors, and gRPC messages combine,
with one another too; the answer has the protocol of the first. Tensors are matched by name, in the
order of the first answer; where each answer has one, names do not matter.

- mean and weightedMean: of numbers; whole numbers give FP64, fractions keep their datatype.
- vote: element by element, what most answers say; of equally many, what the first of them says.
- concat: along the first axis. V1's predictions are put together byte for byte, whatever they are.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, Final, NamedTuple

import msgspec

from graph.document import Document
from graph.effects import Headers
from graph.spec import Combine
from graph.tensors.convert import JSON, Protocol, decode, encode, protocol_of
from graph.tensors.model import Inference, Side, Tensor, TensorError

MAX_ELEMENTS: Final = 250_000  # some 0.25 s, in which the worker does nothing else
_FLOATS: Final = frozenset({"FP16", "BF16", "FP32", "FP64"})
_predictions = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Uncombinable(Exception):
    """Why answers do not make one, in words for the caller, with the step that it is about."""


class Given(NamedTuple):
    """An answer of a step. The weight counts for weightedMean alone."""

    step: str
    document: Document
    weight: int = 1


class _Read(NamedTuple):
    step: str
    weight: int
    inference: Inference


def combine(how: Combine, given: Sequence[Given], model: str) -> tuple[Document, Headers]:
    """`given` is not empty; `model` is the name that a V2 answer carries."""
    protocols = [_protocol(each) for each in given]
    if how is Combine.CONCAT and all(protocol is Protocol.V1 for protocol in protocols):
        rows = [_rows(each) for each in given]
        return Document(b'{"predictions":[' + b",".join(filter(None, rows)) + b"]}"), JSON
    read = [_read(each, protocol) for each, protocol in zip(given, protocols, strict=True)]
    first = read[0].inference
    try:
        tensors = []
        for column in _matched(read):
            tensor = _HOW[how](column)
            tensor.base64 = any(each.base64 for each in column.tensors)
            tensors.append(tensor)
        ids = [each.inference.id for each in read if each.inference.id]
        made = Inference(tensors, model, id=ids[0] if ids else "", named=first.named)
        binary = {tensor.name for tensor in first.tensors if tensor.is_raw}
        return encode(made, protocols[0], Side.ANSWER, binary.__contains__ if binary else None)
    except TensorError as error:  # an element that is not what its datatype says
        raise Uncombinable(str(error)) from None


def _protocol(given: Given) -> Protocol:
    protocol = protocol_of(given.document, Side.ANSWER)
    if protocol is None:
        raise Uncombinable(
            f"the answer of step {given.step} has neither V1's predictions nor V2's outputs"
        )
    return protocol


def _read(given: Given, protocol: Protocol) -> _Read:
    try:
        inference = decode(given.document, protocol, Side.ANSWER)
    except TensorError as error:
        raise Uncombinable(f"the answer of step {given.step}: {error}") from None
    return _Read(given.step, given.weight, inference)


class _Column(NamedTuple):
    """One tensor of each answer."""

    steps: list[str]
    weights: list[int]
    tensors: list[Tensor]

    @property
    def first(self) -> Tensor:
        return self.tensors[0]

    def differs(self, index: int, what: str, here: object, there: object) -> Uncombinable:
        return Uncombinable(
            f"tensor {self.first.name[:100]!r} has {what} {here} in step {self.steps[0]}, and"
            f" {there} in step {self.steps[index]}"
        )


def _matched(read: list[_Read]) -> list[_Column]:
    steps, weights = [each.step for each in read], [each.weight for each in read]
    if all(len(each.inference.tensors) == 1 for each in read):
        return [_Column(steps, weights, [each.inference.tensors[0] for each in read])]
    named: list[dict[str, Tensor]] = []
    for each in read:
        tensors: dict[str, Tensor] = {}
        for tensor in each.inference.tensors:
            if tensors.setdefault(tensor.name, tensor) is not tensor:
                raise Uncombinable(
                    f"the answer of step {each.step} has two tensors called {tensor.name[:100]!r}"
                )
        named.append(tensors)
    for step, tensors in zip(steps, named, strict=True):
        if tensors.keys() != named[0].keys():
            raise Uncombinable(
                f"step {steps[0]} answers {_names(named[0])}, and step {step} {_names(tensors)}"
            )
    return [_Column(steps, weights, [tensors[name] for tensors in named]) for name in named[0]]


def _names(tensors: dict[str, Tensor]) -> str:
    shown = ", ".join(repr(name[:40]) for name in list(tensors)[:8])
    return f"tensors {shown}" if tensors else "no tensors"


def _mean(column: _Column) -> Tensor:
    return _averaged(column, [1] * len(column.tensors))


def _weighted_mean(column: _Column) -> Tensor:
    if not any(column.weights):
        raise Uncombinable(f"the weights of steps {', '.join(column.steps)} are all 0")
    return _averaged(column, column.weights)


def _averaged(column: _Column, weights: list[int]) -> Tensor:
    for step, tensor in zip(column.steps, column.tensors, strict=True):
        if tensor.kind.kind not in ("int", "float"):
            raise Uncombinable(
                f"tensor {tensor.name[:100]!r} of step {step} is {tensor.datatype}, which has no"
                " mean; use vote"
            )
    rows = _values(column)
    total = sum(weights)
    if len(set(weights)) == 1:
        values = [each / len(weights) for each in map(sum, rows)]
    else:
        values = [sum(map(_times, weights, row)) / total for row in rows]
    if not all(map(isfinite, values)):
        values = [
            value if isfinite(value) else _scaled(weights, row)
            for value, row in zip(values, rows, strict=True)
        ]
    kinds = {tensor.datatype for tensor in column.tensors}
    same = len(kinds) == 1 and kinds <= _FLOATS
    return _made(column.first, column.first.datatype if same else "FP64", values)


def _scaled(weights: list[int], row: tuple[float, ...]) -> float:
    """The mean where the sum is none that a float holds."""
    counted = [(weight, value) for weight, value in zip(weights, row, strict=True) if weight]
    odd = [value for _, value in counted if not isfinite(value)]
    if odd:
        return sum(odd)
    total = sum(weights)
    scale = 2.0 ** -total.bit_length()  # a power of two costs no digits
    mean = sum(weight * (value * scale) for weight, value in counted) / total / scale
    values = [value for _, value in counted]
    return min(max(mean, min(values)), max(values))  # rounded, it may be beyond all of them


def _times(weight: int, value: float) -> float:
    return weight * value if weight else 0  # 0 times infinity would be no number


def _vote(column: _Column) -> Tensor:
    datatype = _one_datatype(column)
    return _made(column.first, datatype, [_most(row) for row in _values(column)])


def _most(row: tuple[Any, ...]) -> Any:
    counts: dict[Any, int] = {}
    for value in row:
        counts[value] = counts.get(value, 0) + 1
    return max(counts, key=counts.__getitem__)  # the first of the highest


def _concatenated(column: _Column) -> Tensor:
    first, datatype = column.first, _one_datatype(column)
    for index, tensor in enumerate(column.tensors):
        if not tensor.shape:
            raise Uncombinable(
                f"tensor {tensor.name[:100]!r} of step {column.steps[index]} is a scalar, which has"
                " no axis to put others behind it; answer shape [1], or use vote"
            )
        if tensor.shape[1:] != first.shape[1:]:
            raise column.differs(index, "shape", list(first.shape), list(tensor.shape))
    shape = (sum(tensor.shape[0] for tensor in column.tensors), *first.shape[1:])
    if all(tensor.is_raw for tensor in column.tensors):
        raw = b"".join(tensor.raw() for tensor in column.tensors)
        return Tensor(first.name, datatype, shape, first.parameters, raw)
    values = [value for tensor in column.tensors for value in tensor.values()]
    return Tensor(first.name, datatype, shape, first.parameters, values)


def _one_datatype(column: _Column) -> str:
    """Of all. V1 names none, so that numbers may have been read as different ones: then FP64."""
    kinds = {tensor.datatype for tensor in column.tensors}
    if len(kinds) == 1:
        return column.first.datatype
    if kinds <= {"INT64", "UINT64", "FP64"}:
        return "FP64" if "FP64" in kinds else "UINT64"
    index = next(i for i, t in enumerate(column.tensors) if t.datatype != column.first.datatype)
    other = column.tensors[index].datatype
    raise column.differs(index, "datatype", column.first.datatype, other)


def _values(column: _Column) -> list[tuple[Any, ...]]:
    """For each element what each answer says of it."""
    if column.first.count > MAX_ELEMENTS:
        raise Uncombinable(
            f"tensor {column.first.name[:100]!r} has {column.first.count} elements, and"
            f" {MAX_ELEMENTS} is the most; a service does that better"
        )
    for index, tensor in enumerate(column.tensors):
        if tensor.shape != column.first.shape:
            raise column.differs(index, "shape", list(column.first.shape), list(tensor.shape))
    return list(zip(*[tensor.values() for tensor in column.tensors], strict=True))


def _made(first: Tensor, datatype: str, values: list[Any]) -> Tensor:
    made = Tensor(first.name, datatype, first.shape, first.parameters, values)
    if first.is_raw:
        made.data = made.raw()
    return made


def _rows(given: Given) -> bytes:
    """What stands in the array `predictions`."""
    try:
        raw = bytes(_predictions.decode(given.document.json).get("predictions", b""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raw = b""
    if not raw.startswith(b"[") or not given.document.spliceable:
        raise Uncombinable(f"the answer of step {given.step} has no array of predictions")
    return raw[1:-1].strip()


_HOW: Final[dict[Combine, Callable[[_Column], Tensor]]] = {
    Combine.MEAN: _mean,
    Combine.WEIGHTED_MEAN: _weighted_mean,
    Combine.VOTE: _vote,
    Combine.CONCAT: _concatenated,
}
