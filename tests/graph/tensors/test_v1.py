"""V1 bodies: rows and columns, what datatype they are, and back."""

import json
from typing import Any

import pytest

from graph.tensors import v1
from graph.tensors.model import Inference, Side, Tensor, TensorError

NAN = float("nan")


@pytest.mark.parametrize(
    ("rows", "datatype", "shape", "values"),
    [
        pytest.param([[1, 2], [3, 4]], "INT64", (2, 2), [1, 2, 3, 4], id="whole numbers"),
        pytest.param([1, 2.5], "FP64", (2,), [1.0, 2.5], id="a fraction among them"),
        pytest.param([2**64 - 1], "UINT64", (1,), [2**64 - 1], id="beyond INT64"),
        pytest.param([True, False], "BOOL", (2,), [True, False], id="booleans"),
        pytest.param(["a", "ü"], "BYTES", (2,), [b"a", b"\xc3\xbc"], id="strings"),
        pytest.param([{"b64": "/w=="}, "a"], "BYTES", (2,), [b"\xff", b"a"], id="base64"),
        pytest.param([1, "Infinity"], "FP64", (2,), [1.0, float("inf")], id="a word for a number"),
        pytest.param([], "FP64", (0,), [], id="none"),
        pytest.param([[], []], "FP64", (2, 0), [], id="rows of nothing"),
    ],
)
def test_rows_are_a_tensor(
    rows: Any, datatype: str, shape: tuple[int, ...], values: list[Any]
) -> None:
    for side, key, name in (
        (Side.REQUEST, "instances", "input-0"),
        (Side.ANSWER, "predictions", "output-0"),
    ):
        (found,) = v1.read(json.dumps({key: rows}).encode(), side).tensors
        assert (found.name, found.datatype, found.shape) == (name, datatype, shape)
        assert found.values() == values


def test_rows_of_objects_with_one_name_keep_it() -> None:
    body = b'{"predictions":[{"score":0.5},{"score":1.0}]}'
    assert v1.write(v1.read(body, Side.ANSWER), Side.ANSWER) == body


def test_rows_of_objects_are_a_tensor_for_each_name() -> None:
    body = b'{"instances":[{"a":[1,2],"b":"x"},{"a":[3,4],"b":"y"}]}'
    found = v1.read(body, Side.REQUEST)
    assert found == Inference(
        [
            Tensor("a", "INT64", (2, 2), {}, [1, 2, 3, 4]),
            Tensor("b", "BYTES", (2,), {}, [b"x", b"y"]),
        ],
        named=True,
    )
    assert v1.write(found, Side.REQUEST) == body


@pytest.mark.parametrize(
    ("said", "tensors"),
    [
        ({"outputs": [1, 2]}, [Tensor("output-0", "INT64", (2,), {}, [1, 2])]),
        (
            {"outputs": {"a": [1], "b": [[0.5]]}},
            [Tensor("a", "INT64", (1,), {}, [1]), Tensor("b", "FP64", (1, 1), {}, [0.5])],
        ),
    ],
)
def test_columns_are_read_too(said: Any, tensors: list[Tensor]) -> None:
    assert v1.read(json.dumps(said).encode(), Side.ANSWER).tensors == tensors


@pytest.mark.parametrize(
    ("tensor", "body"),
    [
        pytest.param(
            Tensor("x", "INT32", (2, 1, 2), {}, [1, 2, 3, 4]),
            b'{"predictions":[[[1,2]],[[3,4]]]}',
            id="nested as the shape says",
        ),
        pytest.param(
            Tensor("x", "FP16", (2,), {}, b"\0\x3e\0\x7c"),
            b'{"predictions":[1.5,"Infinity"]}',
            id="raw",
        ),
        pytest.param(
            Tensor("x", "BYTES", (2,), {}, [b"a", b"\xff"]),
            b'{"predictions":[{"b64":"YQ=="},{"b64":"/w=="}]}',
            id="bytes, of which one is no text",
        ),
        pytest.param(
            Tensor("x", "BYTES", (1,), {}, [b"a"], base64=True),
            b'{"predictions":[{"b64":"YQ=="}]}',
            id="bytes that came as base64",
        ),
        pytest.param(Tensor("x", "FP64", (), {}, [0.5]), b'{"predictions":[0.5]}', id="a scalar"),
        pytest.param(Tensor("x", "FP64", (0,), {}, []), b'{"predictions":[]}', id="none"),
        pytest.param(Tensor("x", "FP64", (2, 0), {}, []), b'{"predictions":[[],[]]}', id="empty"),
    ],
)
def test_one_tensor_is_rows_of_values(tensor: Tensor, body: bytes) -> None:
    assert v1.write(Inference([tensor], "m", id="7"), Side.ANSWER) == body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "this is no V1 request: ", id="nothing"),
        pytest.param(b"[1]", "there are no instances", id="no object"),
        pytest.param(b'{"predictions":[1]}', "there are no instances", id="an answer"),
        pytest.param(b'{"instances":1}', "instances is no array", id="no array"),
        pytest.param(b'{"instances":[[1],[2,3]]}', "not all of one length", id="ragged"),
        pytest.param(b'{"instances":[[1],2]}', "not all of one length", id="mixed depth"),
        pytest.param(b'{"instances":[1,"a"]}', "cannot hold numbers, strings", id="mixed"),
        pytest.param(b'{"instances":[null]}', "cannot hold nulls", id="null"),
        pytest.param(b'{"instances":[true,1]}', "cannot hold booleans, numbers", id="bools"),
        pytest.param(b'{"instances":[{"a":1},{"b":1}]}', "row 1 has other names", id="names"),
        pytest.param(b'{"instances":["a",{"c":1}]}', "is no text and no", id="no b64"),
        pytest.param(b'{"instances":[{"b64":"!"}]}', "is no text and no", id="no base64"),
        pytest.param(b'{"instances":[9007199254740993,0.5]}', "cannot hold exactly", id="exact"),
        pytest.param(b'{"instances":[18446744073709551616]}', "'input-0': element", id="too large"),
        pytest.param(b'{"instances":' + b"[" * 70 + b"]" * 70 + b"}", "more than 64", id="deep"),
        pytest.param(b'{"instances":' + b"[" * 100_000, "this is no V1 request", id="very deep"),
    ],
)  # fmt: skip
def test_what_is_no_tensor_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        v1.read(body, Side.REQUEST).tensors[0].raw()
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        pytest.param(
            [Tensor("a", "INT8", (2,), {}, [1, 2]), Tensor("b", "INT8", (1,), {}, [1])],
            "V1 has rows, for which all tensors need the same first dimension: 'a' [2], 'b' [1]",
            id="rows of different number",
        ),
        pytest.param(
            [Tensor("a", "INT8", (), {}, [1]), Tensor("b", "INT8", (), {}, [1])],
            "the same first dimension",
            id="scalars",
        ),
        pytest.param([], "the same first dimension", id="no tensor"),
        pytest.param(
            [Tensor("a", "INT8", (1,), {}, [1]), Tensor("a", "INT8", (1,), {}, [2])],
            "two tensors have the same",
            id="one name twice",
        ),
        pytest.param(
            [Tensor("a", "INT8", (2**40, 0), {}, [])], "rows with nothing in them", id="a bomb"
        ),
    ],
)
def test_what_v1_cannot_say_is_refused(tensors: list[Tensor], reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        v1.write(Inference(tensors), Side.ANSWER)
    assert reason in str(caught.value)
