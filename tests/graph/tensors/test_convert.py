"""Whole ways between protocols: exact for every datatype, binary where it can be."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from graph.document import Document
from graph.packed import Packed
from graph.tensors.convert import Protocol, decode, encode, in_full, protocol_of
from graph.tensors.datatypes import DATATYPES, pack
from graph.tensors.message import Message
from graph.tensors.model import Inference, Requested, Side, Tensor, TensorError

V1, V2, GRPC = Protocol
IN_BINARY = {"in_binary": lambda name: True}

ELEMENTS = {
    "bool": st.booleans(),
    "bytes": st.binary(max_size=5),
}


def element(datatype: str) -> st.SearchStrategy[Any]:
    kind = DATATYPES[datatype]
    if kind.kind == "int":
        bits = kind.size * 8
        low = 0 if datatype.startswith("U") else -(2 ** (bits - 1))
        return st.integers(low, low + 2**bits - 1)
    if kind.name == "BF16":  # the upper half of an FP32
        return st.integers(0, 2**16 - 1).map(
            lambda word: struct.unpack("<f", struct.pack("<HH", 0, word))[0]
        ).filter(lambda value: not math.isnan(value))  # fmt: skip
    if kind.kind == "float":
        return st.floats(width=kind.size * 8, allow_nan=False)
    return ELEMENTS[kind.kind]


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    datatype = draw(st.sampled_from(sorted(DATATYPES)))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    count = math.prod(shape)
    values = draw(st.lists(element(datatype), min_size=count, max_size=count))
    raw = draw(st.booleans())
    parameters = draw(st.sampled_from([{}, {"k": "v", "n": 1, "f": 0.5, "b": True}]))
    name = draw(st.text('ab"\\\n\0é\U0001f9e0', max_size=5))
    data = pack(DATATYPES[datatype], values) if raw else values
    return Tensor(name, datatype, shape, parameters, data).check()


@st.composite
def inferences(draw: st.DrawFn) -> Inference:
    return Inference(
        draw(st.lists(tensors(), max_size=3)),
        id=draw(st.sampled_from(["", "7"])),
        parameters=draw(st.sampled_from([{}, {"p": 2**63 - 1}])),
        requested=draw(st.sampled_from([[], [Requested("y"), Requested("z", {"c": 3})]])),
    )


def said(inference: Inference) -> Any:
    """Everything, whatever its form."""
    return (
        [
            (each.name, each.datatype, each.shape, each.parameters, bytes(each.raw()))
            for each in inference.tensors
        ],
        inference.id,
        inference.parameters,
        inference.requested,
    )


@given(inferences())
@pytest.mark.parametrize(
    "way",
    [
        pytest.param([(V2, {})], id="JSON"),
        pytest.param([(V2, IN_BINARY)], id="binary"),
        pytest.param([(GRPC, {})], id="gRPC"),
        pytest.param([(V2, {}), (V2, IN_BINARY), (V2, {})], id="JSON, binary, JSON"),
        pytest.param([(V2, {}), (GRPC, {}), (V2, {})], id="JSON, gRPC, JSON"),
        pytest.param([(GRPC, {}), (V2, IN_BINARY), (GRPC, {})], id="gRPC, binary, gRPC"),
        pytest.param([(GRPC, {}), (V2, {}), (GRPC, {})], id="gRPC, JSON, gRPC"),
    ],
)
def test_tensors_are_exact_whatever_way_they_went(
    way: list[tuple[Protocol, Any]], given: Inference
) -> None:
    found = given
    for protocol, how in way:
        document, _ = encode(found, protocol, Side.REQUEST, **how)
        assert protocol_of(document, Side.REQUEST) is protocol
        found = decode(document, protocol, Side.REQUEST)
    assert said(found) == said(given)


@given(inferences())
def test_json_is_the_same_text_after_a_way_over_grpc(given: Inference) -> None:
    given.parameters = {}  # gRPC keeps them in no order
    for tensor in given.tensors:
        tensor.parameters = {}
    before, headers = encode(given, V2, Side.REQUEST)
    message, _ = encode(decode(before, V2, Side.REQUEST), GRPC, Side.REQUEST)
    after, headers_after = encode(decode(message, GRPC, Side.REQUEST), V2, Side.REQUEST)
    assert (after.body, headers_after) == (before.body, headers)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64"])
def test_what_is_no_number_survives_json(datatype: str, value: str) -> None:
    tensor = Tensor("x", datatype, (1,), {}, [value])
    body = encode(Inference([tensor]), V2, Side.ANSWER)[0].body
    assert b'"data":["' + value.encode() + b'"]' in body
    message, _ = encode(decode(Document(body), V2, Side.ANSWER), GRPC, Side.ANSWER)
    again = encode(decode(message, GRPC, Side.ANSWER), V2, Side.ANSWER)[0]
    assert again.body == body


def test_binary_becomes_a_message_and_back_without_a_look_at_the_elements() -> None:
    raw = bytes(range(256)) * 4
    given = Inference([Tensor("x", "BYTES", (2,), {}, raw)])  # lengths that do not add up
    binary, headers = encode(given, V2, Side.REQUEST, lambda name: True)
    assert headers[1] == (b"inference-header-content-length", binary.json_length)  # type: ignore[attr-defined]
    message, _ = encode(decode(binary, V2, Side.REQUEST), GRPC, Side.REQUEST)
    (found,) = decode(message, GRPC, Side.REQUEST).tensors
    assert found.data == raw


@pytest.mark.parametrize(
    ("body", "protocol"),
    [
        (b'{"instances": [1]}', V1),
        (b'{"signature_name": "s", "instances": []}', V1),
        (b'{"inputs": {"a": [1]}}', V1),
        (b'{"inputs": [1, 2]}', V1),
        (b'{"inputs": [{"name": "x", "datatype": "BOOL", "shape": [0], "data": []}]}', V2),
        (b'{"inputs": []}', V2),
        (b'{"instances": [NaN]}', V1),
        (b'{"inputs": [{"name":"x", "datatype":"FP32", "shape":[1], "data":[NaN]}]}', V2),
        (b'{"prompt": "hello"}', None),
        (b"[1]", None),
    ],
)
def test_a_body_tells_its_protocol(body: bytes, protocol: Protocol | None) -> None:
    assert protocol_of(Document(body), Side.REQUEST) is protocol


def test_a_message_as_a_document_shows_its_header() -> None:
    document, headers = encode(
        Inference([Tensor("x", "INT8", (1,), {}, b"a")], "m"), GRPC, Side.ANSWER
    )
    assert isinstance(document, Message)
    assert headers == ((b"content-type", b"application/grpc"),)
    assert document.value == {
        "model_name": "m",
        "outputs": [{"name": "x", "datatype": "INT8", "shape": [1]}],
    }
    assert document.valid
    assert not Message(b"\x0a\x05", Side.REQUEST).valid


def test_in_full_tensors_stand_in_the_json() -> None:
    plain = Document(b"{}")
    assert in_full(plain, Side.REQUEST) is plain
    tensor = Tensor("x", "INT8", (1,), {}, b"a")
    for protocol, how in ((GRPC, {}), (V2, IN_BINARY)):
        document, _ = encode(Inference([tensor]), protocol, Side.REQUEST, **how)
        assert in_full(document, Side.REQUEST).value == {
            "inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "data": [97]}]
        }
    broken = Message(b"\x0a\x05", Side.REQUEST)
    assert in_full(broken, Side.REQUEST) is broken


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (Packed(b"no gzip", b"gzip", b""), "cannot be decompressed"),
        (Packed(b"{}", b"", b"9x"), "Inference-Header-Content-Length is no number"),
        (Packed(b"{}", b"", b"99999999999999999999999"), "a header of 9999"),
        (Packed(b"{}", b"", b"9" * 5000), "Inference-Header-Content-Length is no number"),
    ],
)
def test_a_body_that_cannot_be_opened_is_refused(document: Document, reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        decode(document, V2, Side.REQUEST)
    assert reason in str(caught.value)
