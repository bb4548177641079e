"""A request that goes over to another protocol, and its answer that comes back; outcomes."""

import gzip
import json

import pytest

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from graph.document import Document, Form
from graph.packed import Packed
from graph.tensors.convert import Protocol, decode, encode, protocol_of
from graph.tensors.crossing import Crossing, outcome_for
from graph.tensors.message import Message
from graph.tensors.model import Inference, Side, Tensor, TensorError

V1, V2, GRPC = Protocol
ROWS = Document(b'{"instances":[[1,2]]}')
X = Tensor("x", "INT64", (1, 2), {}, [1, 2])


def asked(protocol: Protocol, *, binary: bool = False, **parameters: object) -> Document:
    request = Inference([X], "g", id="7", parameters=dict(parameters))
    in_binary = (lambda name: True) if binary else None
    return encode(request, protocol, Side.REQUEST, in_binary)[0]


def answer(protocol: Protocol, *, binary: bool = False) -> Document:
    tensor = Tensor("y", "FP32", (1,), {}, [0.5])
    in_binary = (lambda name: True) if binary else None
    return encode(Inference([tensor], "m"), protocol, Side.ANSWER, in_binary)[0]


@pytest.mark.parametrize("target", [V1, V2, GRPC])
@pytest.mark.parametrize("source", [V1, V2, GRPC])
def test_the_answer_speaks_as_the_request_did(source: Protocol, target: Protocol) -> None:
    crossing = Crossing(asked(source), source, target, binary=False)
    assert protocol_of(crossing.document, Side.REQUEST) is target
    (sent,) = decode(crossing.document, target, Side.REQUEST).tensors
    assert (sent.datatype, sent.shape, sent.values()) == ("INT64", (1, 2), [1, 2])
    back, _ = crossing.back(answer(target))
    assert protocol_of(back, Side.ANSWER) is source
    found = decode(back, source, Side.ANSWER)
    assert found.tensors[0].values() == [0.5]
    assert found.id == ("" if source is V1 else "7")


def test_a_server_with_the_extension_gets_and_gives_binary() -> None:
    crossing = Crossing(asked(GRPC), GRPC, V2, binary=True)
    assert crossing.document.form is Form.BINARY
    assert crossing.document.value["parameters"] == {"binary_data_output": True}
    back, _ = crossing.back(answer(V2, binary=True))
    assert decode(back, GRPC, Side.ANSWER).model == "m"


@pytest.mark.parametrize(
    ("request_", "outcome", "form"),
    [
        pytest.param(asked(GRPC), answer(V2), Form.MESSAGE, id="gRPC asked, V2 came"),
        pytest.param(asked(GRPC), answer(V1), Form.MESSAGE, id="gRPC asked, V1 came"),
        pytest.param(asked(V2), answer(GRPC), Form.PLAIN, id="V2 asked, gRPC came"),
        pytest.param(ROWS, answer(GRPC), Form.PLAIN, id="V1 asked, gRPC came"),
        pytest.param(Document(b""), answer(GRPC), Form.PLAIN, id="nobody knows, gRPC came"),
        pytest.param(
            asked(V2, binary=True, binary_data_output=True),
            answer(V2),
            Form.BINARY,
            id="binary was wanted",
        ),
        pytest.param(
            asked(V2, binary=True, binary_data_output=True),
            answer(GRPC),
            Form.BINARY,
            id="and gRPC came",
        ),
        pytest.param(asked(V2), answer(V2), None, id="V2 both"),
        pytest.param(asked(V2), answer(V2, binary=True), None, id="binary came unasked"),
        pytest.param(asked(GRPC), answer(GRPC), None, id="gRPC both"),
        pytest.param(ROWS, answer(V1), None, id="V1 both"),
        pytest.param(ROWS, Document(b"[]"), None, id="no inference came"),
        pytest.param(Document(b"{}"), answer(V2), None, id="no inference asked"),
    ],
)
def test_an_outcome_for_its_caller(
    request_: Document, outcome: Document, form: Form | None
) -> None:
    made = outcome_for(request_, outcome)
    assert (None if made is None else made[0].form) is form
    if made is not None:
        protocol = protocol_of(made[0], Side.ANSWER)
        assert protocol is not None
        assert decode(made[0], protocol, Side.ANSWER).tensors[0].values() == [0.5]


def test_grpc_callers_get_inference_answers_only() -> None:
    with pytest.raises(TensorError, match="gRPC has no other"):
        outcome_for(asked(GRPC), Document(b'{"a":1}'))


@pytest.mark.parametrize(
    ("body", "protocol"),
    [
        pytest.param(b'{"inputs":[NaN', V2, id="no JSON, with a bare word"),
        pytest.param(b'{"inputs":[', None, id="no JSON"),
        pytest.param(b'{"a":' + b"[" * 9999 + b"]" * 9999 + b"}", None, id="very deep"),
    ],
)
def test_odd_bodies_tell_a_protocol_or_none(body: bytes, protocol: Protocol | None) -> None:
    assert protocol_of(Document(body), Side.REQUEST) is protocol


def test_compressed_bodies_of_v1() -> None:
    document = Packed(gzip.compress(json.dumps({"instances": [1]}).encode()), b"gzip", b"")
    assert decode(document, V1, Side.REQUEST).tensors[0].values() == [1]


def test_documents_have_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        _ = Message(b"", Side.REQUEST).nothing  # type: ignore[attr-defined]
