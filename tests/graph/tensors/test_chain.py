"""V2's outputs as V2's inputs: JSON, binary and gRPC."""

import json
from typing import Any

import pytest

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from graph.chaining import as_request, predictions_to_instances
from graph.document import Document, Form
from graph.effects import Headers, Payload, Reply
from graph.packed import Packed
from graph.tensors import messages
from graph.tensors.convert import Protocol, decode
from graph.tensors.message import HEADERS, Message
from graph.tensors.model import Side

JSON: Headers = ((b"content-type", b"application/json"),)
TENSOR = b'{"name":"y","datatype":"FP32","shape":[2],"data":[0.10,1e0]}'


def chained(document: Document, headers: Headers = JSON) -> Payload:
    return predictions_to_instances(as_request(Reply(200, headers, document)))


@pytest.mark.parametrize(
    ("answer", "request_"),
    [
        pytest.param(
            b'{"model_name":"m","model_version":"1","outputs":[' + TENSOR + b"]}",
            b'{"inputs":[' + TENSOR + b"]}",
            id="tensors keep their bytes",
        ),
        pytest.param(
            b'{"id":"7","outputs":[' + TENSOR + b"]}",
            b'{"inputs":[' + TENSOR + b'],"id":"7"}',
            id="the id goes along",
        ),
        pytest.param(
            b'{"id":null,"parameters":{"content_type":"np","k":1},"outputs":[' + TENSOR + b"]}",
            b'{"inputs":[' + TENSOR + b'],"parameters":{"content_type":"np"}}',
            id="of parameters the content type goes along",
        ),
    ],
)
def test_an_answer_in_json_becomes_a_request(answer: bytes, request_: bytes) -> None:
    made = chained(Document(answer))
    assert made.document.body == request_
    assert made.headers == JSON


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b'{"outputs":[{"name":"y"}]}', id="outputs that are no tensors"),
        pytest.param(b'{"outputs":[],"inputs":[]}', id="a request"),
        pytest.param(b'{"outputs":[{"datatype":"FP32"}],"inputs":[]}', id="both"),
    ],
)
def test_what_is_no_answer_stays_as_it_is(answer: bytes) -> None:
    document = Document(answer)
    assert chained(document).document is document


def binary(answer: dict[str, Any], tail: bytes, coding: bytes = b"") -> tuple[Packed, Headers]:
    header = json.dumps(answer).encode()
    length = str(len(header)).encode()
    headers = (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", length),
    )
    return Packed(header + tail, coding, length), headers


def test_an_answer_in_binary_stays_binary_and_asks_for_it() -> None:
    output = {
        "name": "y",
        "datatype": "FP16",
        "shape": [2],
        "parameters": {"binary_data_size": 4, "k": 1},
    }
    document, headers = binary({"id": "7", "outputs": [output]}, b"abcd")
    made = chained(document, headers)
    assert made.document.form is Form.BINARY
    assert isinstance(made.document, Packed)
    assert json.loads(made.document.json) == {
        "id": "7",
        "inputs": [output],
        "parameters": {"binary_data_output": True},
    }
    assert made.headers == (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", made.document.json_length),
    )
    found = decode(made.document, Protocol.V2, Side.REQUEST)
    assert bytes(found.tensors[0].raw()) == b"abcd"


def answer_message() -> Any:
    made = messages.ModelInferResponse(model_name="m", model_version="1", id="7")
    tensor = made.outputs.add(name="y", datatype="FP16", shape=[2])
    tensor.parameters["k"].int64_param = 1
    made.raw_output_contents.append(b"abcd")
    made.parameters["content_type"].string_param = "np"
    made.parameters["k"].int64_param = 1
    return made


def test_a_message_becomes_a_request_without_being_parsed() -> None:
    body = answer_message().SerializeToString()
    for made in (
        chained(Message(body, Side.ANSWER), HEADERS),
        # An answer in gRPC is no request of anybody's, so it needs no mapping.
        as_request(Reply(200, HEADERS, Message(body, Side.ANSWER))),
    ):
        assert made.headers == HEADERS
        assert made.document.form is Form.MESSAGE
        request = messages.ModelInferRequest.FromString(made.document.body)
        expected = messages.ModelInferRequest(id="7", raw_input_contents=[b"abcd"])
        tensor = expected.inputs.add(name="y", datatype="FP16", shape=[2])
        tensor.parameters["k"].int64_param = 1
        expected.parameters["content_type"].string_param = "np"
        assert request == expected


def test_typed_contents_go_over_too() -> None:
    answer = messages.ModelInferResponse()
    tensor = answer.outputs.add(name="y", datatype="INT64", shape=[1])
    tensor.contents.int64_contents.append(-1)
    made = chained(Message(answer.SerializeToString(), Side.ANSWER), HEADERS)
    (found,) = decode(made.document, Protocol.GRPC, Side.REQUEST).tensors
    assert found.values() == [-1]


def test_a_request_and_what_is_no_message_stay_as_they_are() -> None:
    for document in (Message(b"", Side.REQUEST), Message(b"\x0a\x05abc", Side.ANSWER)):
        assert chained(document, HEADERS).document is document
