"""Outcomes that speak another protocol than the caller."""

import json
from typing import Any

import pytest

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from graph.document import Document
from graph.effects import Failure, FailureKind, Headers, Reply
from graph.packed import Packed
from graph.tensors.convert import Protocol, decode, encode
from graph.tensors.message import HEADERS as GRPC
from graph.tensors.message import Message
from graph.tensors.model import Side
from router.messages import Head, Request
from router.outcome import differs, fitted
from router.streams import Pipe

JSON: Headers = ((b"content-type", b"application/json"),)
ASKED: dict[str, Any] = {
    "id": "7",
    "inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}],
}
OUTPUTS = [{"name": "y", "shape": [2], "datatype": "FP32", "data": [0.5, 1.0]}]
ANSWER = json.dumps({"model_name": "m", "outputs": OUTPUTS}).encode()
WANTED = {"parameters": {"binary_data_output": True}}


def message(body: bytes, side: Side) -> Document:
    return encode(decode(Document(body), Protocol.V2, side), Protocol.GRPC, side)[0]


def in_binary(body: bytes, side: Side) -> Document:
    found = decode(Document(body), Protocol.V2, side)
    return encode(found, Protocol.V2, side, lambda name: True)[0]


def asked(document: Document, path: bytes = b"/v2/models/g/infer") -> Request:
    return Request(Head(b"POST", path, b"", ()), document)


def json_request(**more: Any) -> bytes:
    return json.dumps({**ASKED, **more}).encode()


def outcome(request: Request, document: Document, headers: Headers = JSON) -> Reply | Failure:
    answer = Reply(200, (*headers, (b"x-kept", b"1")), document)
    return fitted(request, answer) if differs(request, answer) else answer


def test_json_becomes_a_message_for_a_grpc_caller() -> None:
    made = outcome(asked(message(json_request(), Side.REQUEST)), Document(ANSWER))
    assert isinstance(made, Reply)
    assert isinstance(made.document, Message)
    assert made.headers == (*GRPC, (b"x-kept", b"1"))
    found = decode(made.document, Protocol.GRPC, Side.ANSWER)
    assert (found.id, found.tensors[0].values()) == ("7", [0.5, 1.0])


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        pytest.param(
            json_request(), {"model_name": "m", "id": "7", "outputs": OUTPUTS}, id="V2 asked"
        ),
        pytest.param(b'{"instances":[1]}', {"predictions": [0.5, 1.0]}, id="V1 asked"),
        pytest.param(b"hello", {"model_name": "m", "outputs": OUTPUTS}, id="who knows what asked"),
    ],
)
def test_a_message_becomes_json_for_a_rest_caller(request_: bytes, body: Any) -> None:
    made = outcome(asked(Document(request_)), message(ANSWER, Side.ANSWER), GRPC)
    assert isinstance(made, Reply)
    assert made.headers == (*JSON, (b"x-kept", b"1"))
    assert json.loads(made.document.body) == body


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(in_binary(json_request(**WANTED), Side.REQUEST), id="in binary"),
        pytest.param(Document(json_request(**WANTED)), id="in JSON"),
    ],
)
def test_who_asked_for_binary_outputs_gets_them(request_: Document) -> None:
    made = outcome(asked(request_), Document(ANSWER))
    assert isinstance(made, Reply)
    assert isinstance(made.document, Packed)
    assert made.document.body.endswith(b"\0\0\0?\0\0\x80?")


@pytest.mark.parametrize(
    ("request_", "answer", "path"),
    [
        pytest.param(Document(b"{}"), Document(b"{}"), b"/", id="plain both"),
        pytest.param(Document(json_request()), Document(ANSWER), b"/v2/models/g/infer", id="JSON"),
        pytest.param(
            Document(json_request(**WANTED)), Document(b'{"a":1}'), b"/infer", id="no inference"
        ),
        pytest.param(
            in_binary(json_request(), Side.REQUEST), Document(ANSWER), b"/", id="JSON was wanted"
        ),
        pytest.param(
            Document(json_request()), in_binary(ANSWER, Side.ANSWER), b"/", id="a binary answer"
        ),
        pytest.param(
            message(json_request(), Side.REQUEST), message(ANSWER, Side.ANSWER), b"/", id="gRPC"
        ),
    ],
)
def test_what_the_caller_can_read_stays_as_it_is(
    request_: Document, answer: Document, path: bytes
) -> None:
    made = outcome(asked(request_, path), answer)
    assert isinstance(made, Reply)
    assert made.document is answer


def test_of_a_request_that_streamed_nobody_knows_what_it_asked_for() -> None:
    request = asked(Packed(b"", b"", b"10"))
    request.upload = Pipe(None, None)  # type: ignore[arg-type]
    plain = Document(ANSWER)
    made = outcome(request, plain)
    assert isinstance(made, Reply)
    assert made.document is plain
    made = outcome(request, message(ANSWER, Side.ANSWER), GRPC)
    assert isinstance(made, Reply)
    assert json.loads(made.document.body) == json.loads(ANSWER)


def test_an_error_of_a_step_stays_as_it_is() -> None:
    request = asked(message(json_request(), Side.REQUEST))
    assert not differs(request, Reply(400, JSON, Document(b'{"error":"no"}')))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(b'{"a":{"b":1}}', "it is no inference answer, and gRPC has no other", id="no"),
        pytest.param(
            ANSWER.replace(b"[2]", b"[3]"),
            "tensor 'y': 2 values, but FP32 of shape [3] has 3",
            id="wrong",
        ),
    ],
)
def test_what_cannot_be_converted_is_said(answer: bytes, cause: str) -> None:
    made = outcome(asked(message(json_request(), Side.REQUEST)), Document(answer))
    words = "the answer cannot be converted for the caller"
    assert made == Failure(FailureKind.INVALID_ANSWER, f"{words}: {cause}")
