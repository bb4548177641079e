"""Several answers as one gRPC message."""

import pytest

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from graph.document import Document
from graph.effects import Answer, Failure, FailureKind, Reply
from graph.nodes.keyed import keyed
from graph.tensors.convert import Protocol, decode, encode
from graph.tensors.message import HEADERS, Message
from graph.tensors.model import Inference, Side, Tensor
from tests.scripts import ensemble, plan, step


def message(name: str, raw: bytes, id: str = "") -> Document:
    tensor = Tensor(name, "UINT8", (len(raw),), {"k": 1}, raw)
    return encode(Inference([tensor], "m", id=id), Protocol.GRPC, Side.ANSWER)[0]


def test_tensors_stand_under_the_keys_of_their_steps() -> None:
    node = plan(ensemble(step("a"), step("b"), step("c"), step("d"))).root
    answers: list[Answer | None] = [
        Reply(200, HEADERS, message("y", b"1", "7")),
        Failure(FailureKind.TIMEOUT, "no answer"),
        Reply(200, (), Document(b'{"predictions":[1]}')),
        Reply(200, HEADERS, Message(b"\x0a\x05", Side.ANSWER)),
    ]
    reply = keyed(node, answers)
    assert (reply.status, reply.headers) == (200, HEADERS)
    found = decode(reply.document, Protocol.GRPC, Side.ANSWER)
    assert [(each.name, each.datatype, each.values()) for each in found.tensors] == [
        ("a/y", "UINT8", [49]),
        ("c/output-0", "INT64", [1]),
    ]
    assert found.tensors[0].parameters == {"k": 1}
    assert found.id == "7"
    assert found.parameters == {
        "b/error": '{"error":"Failed to process request","cause":"no answer"}',
        "d/error": "the message is cut off",
    }


def test_an_ensemble_within_keeps_its_names_and_errors() -> None:
    inner = Inference(
        [Tensor("b/y", "UINT8", (1,), {}, b"1")], parameters={"c/error": "no", "k": 1}
    )
    node = plan(ensemble(step("a"))).root
    document, headers = encode(inner, Protocol.GRPC, Side.ANSWER)
    reply = keyed(node, [Reply(200, headers, document)])
    found = decode(reply.document, Protocol.GRPC, Side.ANSWER)
    assert [each.name for each in found.tensors] == ["a/b/y"]
    assert found.parameters == {"a/c/error": "no"}
