"""gRPC's messages to and from the neutral model; messages that were made to hurt."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from graph.tensors import grpc, messages
from graph.tensors.datatypes import DATATYPES, pack
from graph.tensors.model import Inference, Requested, Side, Tensor, TensorError

REQUEST, ANSWER = Side.REQUEST, Side.ANSWER


def request(**fields: Any) -> Any:
    return messages.ModelInferRequest(**fields)


def with_input(datatype: str, shape: list[int], raw: list[bytes] = [], **contents: Any) -> bytes:  # noqa: B006
    made = request(raw_input_contents=raw)
    tensor = made.inputs.add(name="x", datatype=datatype, shape=shape)
    for field, values in contents.items():
        getattr(tensor.contents, field).extend(values)
    return bytes(made.SerializeToString())


def test_a_request_is_read_and_written() -> None:
    made = request(model_name="m", model_version="1", id="7", raw_input_contents=[b"abcd", b"\1"])
    made.inputs.add(name="x", datatype="FP32", shape=[1]).parameters["k"].string_param = "v"
    made.inputs.add(name="b", datatype="BOOL", shape=[1, 1])
    made.outputs.add(name="y").parameters["c"].int64_param = 3
    made.parameters["big"].uint64_param = 2**64 - 1
    body = made.SerializeToString()
    found = grpc.read(body, REQUEST)
    assert found == Inference(
        [
            Tensor("x", "FP32", (1,), {"k": "v"}, memoryview(b"abcd")),
            Tensor("b", "BOOL", (1, 1), {}, memoryview(b"\1")),
        ],
        "m",
        "1",
        "7",
        {"big": 2**64 - 1},
        [Requested("y", {"c": 3})],
    )
    assert found.tensors[0].data.obj is body  # not a copy
    assert grpc.write(found, REQUEST) == body


def test_an_answer_is_read_and_written() -> None:
    made = messages.ModelInferResponse(model_name="m", raw_output_contents=[b"abcd"])
    made.outputs.add(name="y", datatype="INT32", shape=[1])
    made.parameters["d"].double_param = 0.5
    body = made.SerializeToString()
    found = grpc.read(body, ANSWER)
    assert found == Inference(
        [Tensor("y", "INT32", (1,), {}, memoryview(b"abcd"))], "m", parameters={"d": 0.5}
    )
    assert grpc.write(found, ANSWER) == body


@pytest.mark.parametrize(
    ("datatype", "field", "values"),
    [
        ("BOOL", "bool_contents", [True, False]),
        ("UINT8", "uint_contents", [0, 255]),
        ("UINT16", "uint_contents", [0, 65535]),
        ("UINT32", "uint_contents", [0, 2**32 - 1]),
        ("UINT64", "uint64_contents", [0, 2**64 - 1]),
        ("INT8", "int_contents", [-128, 127]),
        ("INT16", "int_contents", [-(2**15), 2**15 - 1]),
        ("INT32", "int_contents", [-(2**31), 2**31 - 1]),
        ("INT64", "int64_contents", [-(2**63), 2**63 - 1]),
        ("FP32", "fp32_contents", [0.5, -0.0]),
        ("FP64", "fp64_contents", [0.1, 5e-324]),
        ("BYTES", "bytes_contents", [b"", b"\xff"]),
    ],
)
def test_typed_contents_are_the_same_as_raw_ones(
    datatype: str, field: str, values: list[Any]
) -> None:
    (found,) = grpc.read(with_input(datatype, [2], **{field: values}), REQUEST).tensors
    assert found.values() == values
    assert found.raw() == pack(DATATYPES[datatype], values)


def test_what_grpc_has_no_parameter_for_is_left_out_or_text() -> None:
    given = Inference([], parameters={"null": None, "list": [1], "huge": 2**64, "low": -(2**63)})
    found = grpc.read(grpc.write(given, REQUEST), REQUEST)
    assert found.parameters == {"list": "[1]", "huge": str(2**64), "low": -(2**63)}


def test_a_parameter_without_a_value_is_none() -> None:
    made = request()
    made.parameters["empty"].SetInParent()
    assert grpc.read(made.SerializeToString(), REQUEST).parameters == {}


def test_an_empty_tensor_needs_no_raw_contents() -> None:
    (found,) = grpc.read(with_input("FP16", [0, 3]), REQUEST).tensors
    assert found.values() == []


def test_binary_outputs_are_no_question_in_grpc() -> None:
    given = Inference(
        [],
        parameters={"binary_data_output": True, "k": 1},
        requested=[Requested("y", {"binary_data": True})],
    )
    found = grpc.read(grpc.write(given, REQUEST), REQUEST)
    assert found.parameters == {"k": 1}
    assert found.requested == [Requested("y")]


def test_a_size_of_the_binary_extension_means_nothing_in_grpc() -> None:
    made = request(raw_input_contents=[b"abcd"])
    tensor = made.inputs.add(name="x", datatype="FP32", shape=[1])
    tensor.parameters["binary_data_size"].int64_param = 4
    (found,) = grpc.read(made.SerializeToString(), REQUEST).tensors
    assert found.parameters == {}


def test_conditions_see_everything_but_the_data() -> None:
    made = request(model_name="m", id="7", raw_input_contents=[b"abcd"])
    made.inputs.add(name="x", datatype="FP32", shape=[1]).parameters["k"].bool_param = True
    made.outputs.add(name="y")
    made.parameters["nan"].double_param = float("nan")
    assert json.loads(grpc.header(made.SerializeToString(), REQUEST)) == {
        "model_name": "m",
        "id": "7",
        "parameters": {"nan": "NaN"},
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "parameters": {"k": True}}],
        "outputs": [{"name": "y"}],
    }


def test_what_is_no_message_has_no_header() -> None:
    assert grpc.header(b"\x0a\x05abc", REQUEST) == b""


FIELDS = b"\x32\x00" * (grpc.MAX_FIELDS + 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"\x0a\x05abc", "the message is cut off", id="cut in a string"),
        pytest.param(b"\x3a\xff\xff\xff\x7fabc", "cut off", id="cut in raw contents"),
        pytest.param(b"\x3a\x80", "cut off", id="cut in a length"),
        pytest.param(b"\x3a", "cut off", id="cut before a length"),
        pytest.param(b"\x39abc", "cut off", id="cut in a fixed field"),
        pytest.param(b"\x80" * 50, "more than ten bytes", id="an endless number"),
        pytest.param(b"\x0b\x0c", "no message", id="groups"),
        pytest.param(b"\x0f", "no message", id="an unknown wire type"),
        pytest.param(b"\x0a\x01\xff", "no ModelInferRequest message", id="no UTF-8"),
        pytest.param(FIELDS, "more than 10000 fields", id="very many fields"),
        pytest.param(
            with_input("FP32", [1], [b"abcd", b"abcd"]), "2 raw contents for 1 tensors", id="count"
        ),
        pytest.param(
            with_input("FP32", [1], [b"abcd"], fp32_contents=[1]), "'x': both raw", id="both"
        ),
        pytest.param(with_input("FP32", [1], [b"abc"]), "'x': 3 bytes, but FP32", id="short"),
        pytest.param(with_input("FP32", [2], fp32_contents=[1]), "'x': 1 values, but", id="few"),
        pytest.param(with_input("FP32", [1], fp64_contents=[1]), "0 values, but", id="elsewhere"),
        pytest.param(with_input("FP16", [1]), "FP16 has raw contents only", id="half floats"),
        pytest.param(with_input("FP32", [-1], [b""]), "shape [-1] has a dimension", id="negative"),
        pytest.param(with_input("FP32", [2**62] * 64, [b""]), "0 bytes, but", id="a huge product"),
        pytest.param(with_input("FP32", [1] * 65, [b""]), "65 dimensions", id="dimensions"),
        pytest.param(with_input("FP8", [1], [b"a"]), "unknown datatype 'FP8'", id="datatype"),
    ],
)  # fmt: skip
def test_hostile_messages_are_refused_with_their_reason(body: bytes, reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        grpc.read(body, REQUEST)
    assert reason in str(caught.value)


def test_typed_contents_of_very_many_bytes_are_not_parsed() -> None:
    body = with_input("INT64", [1], int64_contents=[1])
    head = body + b"\x3a\x00" + b"\x0a" + grpc.to_varint(1 << 25) + bytes(1 << 25)
    with pytest.raises(TensorError, match="write tensors as raw contents"):
        grpc.read(head, REQUEST)
    assert grpc.header(head, REQUEST) == b""


def test_a_value_that_a_typed_field_holds_but_not_the_datatype() -> None:
    (found,) = grpc.read(with_input("INT8", [1], int_contents=[128]), REQUEST).tensors
    with pytest.raises(TensorError, match="tensor 'x': element 0, 128, is no INT8"):
        found.raw()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(body: bytes) -> None:
    for side in Side:
        try:
            grpc.read(body, side)
        except TensorError:
            pass
        grpc.header(body, side)


@given(st.lists(st.binary(max_size=300), max_size=4), st.booleans())
def test_raw_contents_are_cut_out_wherever_they_stand(raws: list[bytes], first: bool) -> None:
    head = request(model_name="m", id="7").SerializeToString()
    tail = request(raw_input_contents=raws).SerializeToString()
    found, cut = grpc.split(tail + head if first else head + tail, REQUEST)
    assert found == head
    assert list(map(bytes, cut)) == raws
    assert grpc.join(found, cut, REQUEST) == head + tail
