"""Combining inference answers: every protocol, against references that are as simple as can be."""

# ruff: noqa: E501  bodies and messages in one line

import json
import struct
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.combine import Given, Uncombinable, combine
from graph.document import Document
from graph.packed import Packed
from graph.spec import Combine
from graph.tensors import grpc
from graph.tensors.convert import Protocol, decode, encode, protocol_of
from graph.tensors.message import Message
from graph.tensors.model import Inference, Side, Tensor
from graph.tensors.v2 import write
from tests.strategies import BODIES

MEAN, WEIGHTED, VOTE, CONCAT = Combine.MEAN, Combine.WEIGHTED_MEAN, Combine.VOTE, Combine.CONCAT


def v1(*rows: Any) -> Document:
    return Document(json.dumps({"predictions": list(rows)}).encode())


def v2(datatype: str, *data: Any, shape: Any = None, name: str = "y", **more: Any) -> Document:
    shape = [len(data)] if shape is None else shape
    tensor = {"name": name, "datatype": datatype, "shape": shape, "data": list(data)}
    return Document(json.dumps({"model_name": "m", "outputs": [tensor], **more}).encode())


def twice(name: str) -> Document:
    """An answer with two tensors of one name."""
    return encode(
        Inference([Tensor(name, "FP32", (1,), {}, [1.0])] * 2, "m"), Protocol.V2, Side.ANSWER
    )[0]


def binary(datatype: str, *data: Any, name: str = "y") -> Document:
    tensor = Tensor(name, datatype, (len(data),), {}, list(data))
    document, _ = encode(Inference([tensor], "m"), Protocol.V2, Side.ANSWER, lambda _: True)
    return document


def message(datatype: str, *data: Any, name: str = "y") -> Document:
    tensor = Tensor(name, datatype, (len(data),), {}, list(data))
    return Message(grpc.write(Inference([tensor], "m", id="7"), Side.ANSWER), Side.ANSWER)


def made(how: Combine, *documents: Document, weights: tuple[int, ...] = (1, 2, 3)) -> Document:
    given = [Given("abc"[i], each, weights[i]) for i, each in enumerate(documents)]
    return combine(how, given, "g")[0]


def refused(how: Combine, *documents: Document, weights: tuple[int, ...] = (1, 2, 3)) -> str:
    with pytest.raises(Uncombinable) as why:
        made(how, *documents, weights=weights)
    return str(why.value)


def one(document: Document) -> tuple[str, tuple[int, ...], list[Any]]:
    """The lone tensor of an answer."""
    protocol = protocol_of(document, Side.ANSWER)
    assert protocol is not None
    (tensor,) = decode(document, protocol, Side.ANSWER).tensors
    return tensor.datatype, tensor.shape, tensor.values()


def _large() -> tuple[bytes, bytes, bytes]:
    tensor = Tensor("y", "INT8", (250_001,), {}, bytes(250_001))
    body, length = write(Inference([tensor], "m"), Side.ANSWER, lambda _: True)
    return body, b"", str(length).encode()


V1: dict[str, tuple[Combine, list[Document], str]] = {
    "mean of whole numbers": (MEAN, [v1(1, 2), v1(2, 2)], "[1.5,2.0]"),
    "mean of one": (MEAN, [v1(3)], "[3.0]"),
    "mean of rows": (MEAN, [v1([1.0, 2.0]), v1([2.0, 4.0])], "[[1.5,3.0]]"),
    "mean by weights": (WEIGHTED, [v1(0.0), v1(3.0), v1(6)], "[4.0]"),
    "mean of named columns": (
        MEAN,
        [v1({"a": 1, "b": [2, 3]}), v1({"b": [4, 5], "a": 3})],
        '[{"a":2.0,"b":[3.0,4.0]}]',
    ),
    "vote on words": (VOTE, [v1("x", "y"), v1("z", "z"), v1("x", "z")], '["x","z"]'),
    "vote on numbers": (VOTE, [v1(1, 2), v1(3, 2.0)], "[1.0,2.0]"),
    "vote on whole numbers beyond 2^63": (VOTE, [v1(2**63), v1(1)], "[9223372036854775808]"),
    "vote on whole numbers beyond 2^53": (VOTE, [v1(2**53 + 1), v1(2**53)], "[9007199254740993]"),
    "vote on yes and no": (VOTE, [v1(True), v1(False), v1(False)], "[false]"),
    "mean of objects with one name": (MEAN, [v1({"p": 0.5}), v1({"p": 1.5})], '[{"p":1.0}]'),
    "vote on objects with one name": (VOTE, [v1({"p": 0.5}), v1({"p": 0.5})], '[{"p":0.5}]'),
    "vote on base64 that is text": (VOTE, [v1({"b64": "YQ=="})] * 2, '[{"b64":"YQ=="}]'),
    "vote on a text and its base64": (VOTE, [v1("a"), v1({"b64": "YQ=="})], '[{"b64":"YQ=="}]'),
    "concatenation": (CONCAT, [v1(1, [2]), v1(), v1({"a": None})], '[1, [2],{"a": null}]'),
    "concatenation of nothing": (CONCAT, [v1(), v1()], "[]"),
}


@pytest.mark.parametrize("case", V1)
def test_v1(case: str) -> None:
    how, documents, expected = V1[case]
    assert made(how, *documents).body.decode() == f'{{"predictions":{expected}}}'


_MAX = sys.float_info.max
_INF = float("inf")
V2: dict[str, tuple[Combine, list[Any], Any]] = {
    "mean whose sum is no float": (MEAN, [("FP64", 1e308), ("FP64", 1e308)], ("FP64", (1,), [1e308])),
    "mean of the largest": (MEAN, [("FP64", _MAX)] * 3, ("FP64", (1,), [_MAX])),
    "mean of large ones by weights": (WEIGHTED, [("FP64", -1.5e308), ("FP64", 1.5e308)], ("FP64", (1,), [5e307])),
    "mean with an infinity": (MEAN, [("FP64", 1e308), ("FP64", 1e308), ("FP64", -_INF)], ("FP64", (1,), [-_INF])),
    "mean of whole numbers is FP64": (MEAN, [("INT32", 1), ("INT32", 2)], ("FP64", (1,), [1.5])),
    "mean of fractions keeps the datatype": (MEAN, [("FP32", 1), ("FP32", 2)], ("FP32", (1,), [1.5])),
    "mean of several datatypes is FP64": (MEAN, [("FP32", 1), ("UINT8", 2)], ("FP64", (1,), [1.5])),
    "mean of BF16": (MEAN, [("BF16", 1), ("BF16", 4)], ("BF16", (1,), [2.5])),
    "vote on BYTES": (VOTE, [("BYTES", "a"), ("BYTES", "b"), ("BYTES", "b")], ("BYTES", (1,), [b"b"])),
    "vote on BOOL": (VOTE, [("BOOL", True), ("BOOL", False)], ("BOOL", (1,), [True])),
    "concatenation": (CONCAT, [("INT8", 1, 2), ("INT8", 3)], ("INT8", (3,), [1, 2, 3])),
    "concatenation of BYTES": (CONCAT, [("BYTES", "a"), ("BYTES", "")], ("BYTES", (2,), [b"a", b""])),
}  # fmt: skip


@pytest.mark.parametrize("form", [v2, binary, message], ids=["JSON", "binary", "gRPC"])
@pytest.mark.parametrize("case", V2)
def test_v2_in_every_form(case: str, form: Any) -> None:
    how, tensors, expected = V2[case]
    documents = [form(*tensor) for tensor in tensors]
    document = made(how, *documents)
    assert one(document) == expected
    assert type(document) is type(documents[0])
    if isinstance(document, Packed):
        header = json.loads(document.json)
        assert "data" not in header["outputs"][0]
        assert header["model_name"] == "g"


def test_forms_and_protocols_combine_with_one_another() -> None:
    everything = [v2("FP32", 1.0), binary("FP32", 2.0), message("FP32", 3.0)]
    assert one(made(MEAN, *everything)) == ("FP32", (1,), [2.0])
    document = made(CONCAT, v1(1.5), v2("FP64", 2.5))
    assert document.body == b'{"predictions":[1.5,2.5]}'


def test_an_answer_of_v2_says_whose_it_is() -> None:
    document = made(MEAN, v2("FP32", 1), v2("FP32", 3, id="42", parameters={"p": 1}))
    assert json.loads(document.body) == {
        "model_name": "g",
        "id": "42",
        "outputs": [{"name": "y", "shape": [1], "datatype": "FP32", "data": [2.0]}],
    }


def test_several_tensors_are_matched_by_name() -> None:
    def two(first: str, second: str, value: float) -> Document:
        tensors = [
            Tensor(name, "FP32", (1,), {}, [value + i]) for i, name in enumerate((first, second))
        ]
        return encode(Inference(tensors, "m"), Protocol.V2, Side.ANSWER)[0]

    outputs = json.loads(made(MEAN, two("p", "q", 1), two("q", "p", 5)).body)["outputs"]
    assert [(each["name"], each["data"]) for each in outputs] == [("p", [3.5]), ("q", [3.5])]
    why = refused(MEAN, two("p", "q", 1), two("p", "r", 1))
    assert why == "step a answers tensors 'p', 'q', and step b tensors 'p', 'r'"


REFUSED: dict[str, tuple[Combine, list[Document]]] = {
    "tensor 'y' has shape [2] in step a, and [1] in step b": (VOTE, [v2("FP32", 1, 2), v2("FP32", 1)]),
    "tensor 'y' has datatype FP32 in step a, and BOOL in step b": (VOTE, [v2("FP32", 1), v2("BOOL", True)]),
    "tensor 'y' has shape [1, 1] in step a, and [1, 2] in step b": (
        CONCAT,
        [v2("FP32", 1, shape=[1, 1]), v2("FP32", 1, 2, shape=[1, 2])],
    ),
    "tensor 'y' of step b is BYTES, which has no mean; use vote": (MEAN, [v2("FP32", 1), v2("BYTES", "a")]),
    "tensor 'output-0' of step a is BOOL, which has no mean; use vote": (MEAN, [v1(True), v1(False)]),
    "the answer of step b has no array of predictions": (CONCAT, [v1(1), Document(b'{"predictions":7}')]),
    "the answer of step b: tensor 'output-0': its rows are not all of one length": (
        MEAN,
        [v1([1]), v1([1], [1, 2])],
    ),
    "the answer of step b has neither V1's predictions nor V2's outputs": (MEAN, [v1(1), Document(b"[]")]),
    "the answer of step a has no array of predictions": (
        CONCAT,
        [Document(b'{"predictions":[NaN]}'), v1(1)],
    ),
    "tensor 'y' has 250001 elements, and 250000 is the most; a service does that better": (
        MEAN,
        [Packed(*_large()), Packed(*_large())],
    ),
    "the answer of step b has two tensors called 'y'": (VOTE, [v2("FP32", 1), twice("y")]),
    "tensor 'y' of step a is a scalar, which has no axis to put others behind it; answer shape [1], or use vote": (
        CONCAT,
        [v2("FP32", 1, shape=())] * 2,
    ),
    "the weights of steps a, b are all 0": (WEIGHTED, [v1(1), v1(1)]),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_combined_says_why(why: str) -> None:
    how, documents = REFUSED[why]
    assert refused(how, *documents, weights=(0, 0)) == why


def test_a_value_that_the_datatype_does_not_hold() -> None:
    assert "tensor 'y'" in refused(MEAN, v2("UINT8", 300), v2("UINT8", 1))


# references

_NUMBERS = st.floats(-1e6, 1e6) | st.integers(-(2**40), 2**40)
_SHAPES = st.tuples(st.integers(1, 4), st.integers(2, 4))  # so many elements, of so many answers
_LABELS = st.sampled_from(["cat", "dog", "elk"]) | st.just("ant")


@given(st.data(), _SHAPES)
def test_means_are_those_of_the_textbook(data: st.DataObject, shape: tuple[int, int]) -> None:
    count, steps = shape
    answers = [data.draw(st.lists(_NUMBERS, min_size=count, max_size=count)) for _ in range(steps)]
    weights = tuple(data.draw(st.integers(1, 5)) for _ in answers)
    given = [
        Given(str(i), v1(*row), weight)
        for i, (row, weight) in enumerate(zip(answers, weights, strict=True))
    ]
    for how, used in ((MEAN, (1,) * steps), (WEIGHTED, weights)):
        found = json.loads(combine(how, given, "g")[0].body)["predictions"]
        for index, value in enumerate(found):
            column = [row[index] for row in answers]
            expected = sum(w * v for w, v in zip(used, column, strict=True)) / sum(used)
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.data(), _SHAPES)
def test_a_vote_is_a_majority_and_ties_go_to_the_first(
    data: st.DataObject, shape: tuple[int, int]
) -> None:
    count, steps = shape
    answers = [data.draw(st.lists(_LABELS, min_size=count, max_size=count)) for _ in range(steps)]
    given = [Given(str(i), v2("BYTES", *row)) for i, row in enumerate(answers)]
    found = one(combine(VOTE, given, "g")[0])[2]
    for index, value in enumerate(found):
        column = [row[index].encode() for row in answers]
        counts = Counter(column)
        best = [label for label in column if counts[label] == max(counts.values())]
        assert value == best[0]


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False)), min_size=1, max_size=4), st.booleans()
)
def test_concatenation_is_concatenation(answers: list[list[float]], packed: bool) -> None:
    form = binary if packed else v2
    rows = [row for row in answers if row] or [[1.0]]
    given = [Given(str(i), form("FP32", *row)) for i, row in enumerate(rows)]
    datatype, shape, values = one(combine(CONCAT, given, "g")[0])
    flat = [value for row in rows for value in row]
    assert (datatype, shape) == ("FP32", (len(flat),))
    assert struct.pack(f"{len(flat)}f", *values) == struct.pack(f"{len(flat)}f", *flat)


_ANY = st.one_of(
    BODIES.map(Document),
    st.builds(lambda body, length: Packed(body, b"", str(length).encode()), BODIES, st.integers(0, 30)),
    BODIES.map(lambda body: Message(body, Side.ANSWER)),
    st.lists(st.one_of(_NUMBERS, st.text(max_size=2), st.booleans(), st.none(), st.lists(_NUMBERS, max_size=2)), max_size=3).map(lambda rows: v1(*rows)),
    st.sampled_from([v2("FP32", 1), v2("BYTES", "a"), v2("INT8", 999), v2("NO", 1), v2("BOOL", 2), binary("FP16", 1.5), message("UINT64", 2**63)]),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([MEAN, WEIGHTED, VOTE, CONCAT]), st.lists(_ANY, min_size=1, max_size=3))
def test_no_answers_raise(how: Combine, documents: list[Document]) -> None:
    try:
        document = made(how, *documents)
    except Uncombinable:
        return
    assert document.valid
