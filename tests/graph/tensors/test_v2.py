"""V2 bodies, JSON and with the binary extension: golden pairs, and what is refused and how."""

import json
from typing import Any

import pytest

from graph.tensors import v2
from graph.tensors.model import Inference, Requested, Side, Tensor, TensorError


def tensor(**given: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "INT32", "shape": [2], "data": [1, 2], **given}


def request(*inputs: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"inputs": list(inputs), **more}).encode()


def binary(*inputs: dict[str, Any], tail: bytes) -> tuple[bytes, int]:
    header = request(*inputs)
    return header + tail, len(header)


def in_binary(size: object, **given: Any) -> dict[str, Any]:
    made = tensor(**given, parameters={"binary_data_size": size})
    del made["data"]
    return made


def test_a_request_in_json() -> None:
    body = request(
        tensor(parameters={"p": 1}),
        tensor(name="s", datatype="BYTES", data=["a", "ü"]),
        id="7",
        parameters={"q": "r"},
        outputs=[{"name": "y", "parameters": {"classification": 3}}],
    )
    found = v2.read(body, Side.REQUEST)
    assert found == Inference(
        [
            Tensor("x", "INT32", (2,), {"p": 1}, [1, 2]),
            Tensor("s", "BYTES", (2,), {}, ["a", "ü"]),
        ],
        id="7",
        parameters={"q": "r"},
        requested=[Requested("y", {"classification": 3})],
    )
    written, length = v2.write(found, Side.REQUEST)
    assert length is None
    assert json.loads(written) == json.loads(body)


def test_an_answer_in_json() -> None:
    body = (
        b'{"model_name":"m","model_version":"2","id":"7",'
        b'"outputs":[{"name":"y","shape":[1],"datatype":"BOOL","data":[true]}]}'
    )
    found = v2.read(body, Side.ANSWER)
    assert found == Inference([Tensor("y", "BOOL", (1,), {}, [True])], "m", "2", "7")
    assert v2.write(found, Side.ANSWER) == (body, None)


def test_a_request_with_tensors_behind_its_json() -> None:
    body, length = binary(
        in_binary(8),
        tensor(name="j"),
        in_binary(3, datatype="UINT8", shape=[3]),
        tail=b"12345678abc",
    )
    found = v2.read(body, Side.REQUEST, length)
    assert [bytes(each.raw()) for each in found.tensors] == [
        b"12345678",
        b"\1\0\0\0\2\0\0\0",
        b"abc",
    ]
    first = found.tensors[0].data
    assert isinstance(first, memoryview)
    assert first.obj is body  # not a copy
    assert found.tensors[0].parameters == {}
    again, length_again = v2.write(found, Side.REQUEST, lambda name: True)
    assert v2.read(again, Side.REQUEST, length_again).tensors[2].raw() == b"abc"


def test_outputs_come_in_binary_where_they_were_asked_for_so() -> None:
    asked = v2.read(
        request(
            tensor(),
            parameters={"binary_data_output": True},
            outputs=[{"name": "a"}, {"name": "b", "parameters": {"binary_data": False}}],
        ),
        Side.REQUEST,
    )
    wanted = v2.wants_binary(asked)
    assert [wanted("a"), wanted("b"), wanted("c")] == [True, False, True]
    answer = Inference(
        [Tensor("a", "UINT8", (1,), {}, b"a"), Tensor("b", "UINT8", (1,), {}, b"b")], "m"
    )
    body, length = v2.write(answer, Side.ANSWER, wanted)
    assert body[length:] == b"a"
    assert json.loads(body[:length])["outputs"] == [
        {"name": "a", "shape": [1], "datatype": "UINT8", "parameters": {"binary_data_size": 1}},
        {"name": "b", "shape": [1], "datatype": "UINT8", "data": [98]},
    ]


def test_who_does_not_know_the_extension_is_not_asked_for_binary_outputs() -> None:
    found = v2.read(
        request(
            tensor(),
            parameters={"binary_data_output": True, "k": 1},
            outputs=[{"name": "a", "parameters": {"binary_data": True}}],
        ),
        Side.REQUEST,
    )
    said = json.loads(v2.write(found, Side.REQUEST)[0])
    assert said["parameters"] == {"k": 1}
    assert said["outputs"] == [{"name": "a"}]


def test_bytes_that_are_no_text_are_base64_in_json() -> None:
    given = Inference([Tensor("x", "BYTES", (2,), {"k": 1}, [b"a", b"\xff"])])
    body, _ = v2.write(given, Side.REQUEST)
    (said,) = json.loads(body)["inputs"]
    assert said["data"] == ["YQ==", "/w=="]
    assert said["parameters"] == {"k": 1, "content_type": "base64"}
    (found,) = v2.read(body, Side.REQUEST).tensors
    assert (found.values(), found.parameters) == ([b"a", b"\xff"], {"k": 1})


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        pytest.param([[1, 2], [3, 4]], [2, 2], id="nested"),
        pytest.param([1, 2, 3, 4], [2, 2], id="flat"),
        pytest.param([[[1], [2]], [[3], [4]]], [2, 2, 1], id="nested deeper"),
        pytest.param([], [0, 5], id="empty"),
        pytest.param([[], []], [2, 0], id="rows with nothing in them"),
        pytest.param([7], [], id="a scalar in an array"),
        pytest.param(7, [], id="a scalar"),
    ],
)
def test_data_may_be_nested(data: Any, shape: list[int]) -> None:
    (found,) = v2.read(request(tensor(data=data, shape=shape)), Side.REQUEST).tensors
    assert found.shape == tuple(shape)
    assert found.values() == [v for v in [1, 2, 3, 4, 7] if str(v) in json.dumps(data)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (b"[NaN,1.5]", "[nan, 1.5]"),
        (b"[-Infinity,Infinity]", "[-inf, inf]"),
        (b'["NaN",null]', "[nan, nan]"),
    ],
)
def test_words_of_servers_for_what_json_has_no_number_for(text: bytes, values: str) -> None:
    body = b'{"outputs":[{"name":"y","shape":[2],"datatype":"FP32","data":' + text + b"}]}"
    (found,) = v2.read(body, Side.ANSWER).tensors
    assert str(found.values()) == values


HUGE = b'{"inputs":' + b"[" * 100_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "this is no V2 inference request: ", id="nothing"),
        pytest.param(b"[]", "Expected `object`, got `array`", id="no object"),
        pytest.param(b"{}", "missing required field `inputs`", id="no inputs"),
        pytest.param(HUGE, "this is no V2 inference request", id="deep"),
        pytest.param(
            b'{"inputs":[{"shape":[1]}]}', "required field `name` - at `$.inputs[0]`", id="no name"
        ),
        pytest.param(
            request(tensor(shape=["2"])), "at `$.inputs[0].shape[0]`", id="a shape of text"
        ),
        pytest.param(
            request(tensor(shape=[-2])), "tensor 'x': shape [-2] has a dim", id="negative"
        ),
        pytest.param(
            request(tensor(shape=[3])), "'x': 2 values, but INT32 of shape [3] has 3", id="short"
        ),
        pytest.param(
            request(tensor(data="ab")), "tensor 'x': its data is no array", id="text for data"
        ),
        pytest.param(
            request(tensor(data=[[1], [2]])),
            "not nested as its shape [2] says",
            id="nested too deep",
        ),
        pytest.param(
            request(tensor(data=[[1], [2, 3]], shape=[2, 1])), "not nested as", id="ragged"
        ),
        pytest.param(
            request(tensor(datatype="STRING")), "unknown datatype 'STRING'", id="datatype"
        ),
        pytest.param(request(in_binary(8)), "8, but only 0 bytes are left", id="bytes in no body"),
        pytest.param(
            request({"name": "x", "datatype": "INT32", "shape": [2]}),
            "neither data nor",
            id="no data",
        ),
        pytest.param(
            request(
                tensor(datatype="BYTES", data=["a", "b!"], parameters={"content_type": "base64"})
            ),
            "its content_type is base64, but an element is not",
            id="no base64",
        ),
        pytest.param(
            b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}],"id":"\\ud800"}',
            "this is no V2 inference request: ",
            id="half a surrogate pair",
        ),
    ],
)
def test_a_body_that_is_no_request_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        v2.read(body, Side.REQUEST)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param((b"{}", 3), "a header of 3 bytes in a body of 2", id="header beyond the body"),
        pytest.param((b"{}", 0), "a header of 0 bytes", id="no header"),
        pytest.param((b"{}", -1), "a header of -1 bytes", id="negative header"),
        pytest.param(binary(in_binary(8), tail=b"1234567"), "is 8, but only 7 bytes", id="cut"),
        pytest.param(binary(in_binary(8), tail=b"123456789"), "1 bytes after the last", id="rest"),
        pytest.param(binary(in_binary(4), tail=b"1234"), "4 bytes, but INT32 of shape", id="short"),
        pytest.param(binary(in_binary(-8), tail=b"1234"), "no number of bytes", id="negative size"),
        pytest.param(binary(in_binary(True), tail=b"1"), "no number of bytes", id="a boolean size"),
        pytest.param(
            binary(tensor(parameters={"binary_data_size": 8}), tail=b"12345678"),
            "both data and binary_data_size",
            id="both",
        ),
    ],
)
def test_binary_sizes_that_do_not_fit_are_refused(given: tuple[bytes, int], reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        v2.read(given[0], Side.REQUEST, given[1])
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (
            b'{"outputs":[{"parameters":{"binary_data_size":3}},{"name":"y"},{"parameters":null}]}',
            3,
        ),
        (b'{"outputs":[]}', 0),
        (b'{"predictions":[]}', None),
        (b'{"outputs":[{"parameters":{"binary_data_size":"3"}}]}', None),
    ],
)
def test_how_long_an_answer_says_its_tensors_are(header: bytes, size: int | None) -> None:
    assert v2.binary_size(header) == size
