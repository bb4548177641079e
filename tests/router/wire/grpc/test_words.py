"""Statuses, timeouts, metadata and the few fields of messages."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from graph.tensors.messages import CLASSES
from router.wire.grpc import timeouts
from router.wire.grpc.fields import (
    BadMessage,
    model_name,
    of_stream,
    read,
    stream_error,
    stream_response,
    with_model_name,
)
from router.wire.grpc.metadata import Malformed, legal, split
from router.wire.grpc.request import CallHead
from router.wire.grpc.status import Code, code_of, escaped, http_status, unescaped

INFER = CLASSES["ModelInferRequest"]


@given(st.text())
def test_words_survive_their_way(words: str) -> None:
    value = escaped(words)
    assert value.isascii()
    assert unescaped(value) == words.encode(errors="replace").decode()


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.name)
def test_a_status_is_an_http_status_that_may_be_sent(code: Code) -> None:
    assert http_status(code) in {200, 400, 401, 403, 404, 409, 429, 500, 501, 503, 504}
    assert http_status(999) == 500


def test_a_status_of_http_is_a_code() -> None:
    for status in range(300, 600):
        assert code_of(status) is not Code.OK


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"1S", 1.0), (b"500m", 0.5), (b"2M", 120.0), (b"1H", 3600.0), (b"250000u", 0.25),
        (b"99999999n", 0.099999999), (b"", None), (b"1", None), (b"S", None), (b"1s", None),
        (b"123456789S", None), (b"-1S", None), (b"1.5S", None), ("٣S".encode(), None),
    ],
)  # fmt: skip
def test_timeouts(value: bytes, seconds: float | None) -> None:
    assert timeouts.read(value) == pytest.approx(seconds)


@given(st.floats(1e-6, 1e9))
def test_a_timeout_that_is_written_is_read(seconds: float) -> None:
    read_back = timeouts.read(timeouts.write(seconds))
    assert read_back is not None
    assert read_back == pytest.approx(max(seconds, 0.001), rel=0.6, abs=0.0006) or seconds > 9e7


@given(st.floats(0, 1e6))
def test_a_coarse_timeout_is_never_shorter_and_hardly_longer(seconds: float) -> None:
    coarse = timeouts.coarse(seconds)
    assert coarse >= seconds
    assert coarse <= max(seconds, 0.001) * 1.02


def test_metadata_that_may_go_on() -> None:
    headers = (
        *((b"x-a", b"1"), (b"x-b-bin", b"AAE="), (b"grpc-status", b"0"), (b"te", b"trailers")),
        *((b"content-type", b"a"), (b"X", b"1"), (b"x c", b"1"), (b"x-d", b"\x80"), (b"host", b"")),
    )
    assert legal(headers) == ((b"x-a", b"1"), (b"x-b-bin", b"AAE="))


PSEUDO = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a"))
KIND = (b"content-type", b"application/grpc")


@pytest.mark.parametrize(
    "headers",
    [
        PSEUDO[:2],
        (*PSEUDO, (b":path", b"/b")),
        (*PSEUDO, (b":status", b"200")),
        (*PSEUDO, (b":protocol", b"x")),
        (KIND, *PSEUDO),
        (*PSEUDO[:2], (b":path", b"")),
        (*PSEUDO, (b"X-A", b"1")),
        (*PSEUDO, (b"x a", b"1")),
        (*PSEUDO, (b"", b"1")),
        (*PSEUDO, (b"x-a", b" 1")),
        (*PSEUDO, (b"x-a", b"1\r\nx-b: 2")),
        (*PSEUDO, (b"x-a", b"1\x00")),
        (*PSEUDO, (b"connection", b"close")),
        (*PSEUDO, (b"transfer-encoding", b"chunked")),
        (*PSEUDO, (b"te", b"gzip")),
        (*PSEUDO[:2], (b":path", b"/a\n")),
    ],
)
def test_heads_that_are_none(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(Malformed):
        CallHead(headers)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ((*PSEUDO, KIND), 200, None),
        ((*PSEUDO, (b"content-type", b"application/grpc+proto")), 200, None),
        ((*PSEUDO, (b"content-type", b"application/grpc-web")), 415, None),
        ((*PSEUDO, (b"content-type", b"application/json")), 415, None),
        (PSEUDO, 415, None),
        (((b":method", b"GET"), *PSEUDO[1:], KIND), 405, None),
        ((*PSEUDO, KIND, (b"grpc-encoding", b"snappy")), 200, Code.UNIMPLEMENTED),
        ((*PSEUDO, KIND, (b"grpc-timeout", b"soon")), 200, Code.INVALID_ARGUMENT),
    ],
)
def test_heads_of_calls(
    headers: tuple[tuple[bytes, bytes], ...], status: int, code: Code | None
) -> None:
    head = CallHead(headers)
    assert head.status == status
    assert (head.fault and head.fault.code) == code


def test_pseudo_headers_stand_first() -> None:
    pseudo, rest = split((*PSEUDO, KIND), frozenset({b":method", b":scheme", b":path"}))
    assert (pseudo, rest) == (dict(PSEUDO), (KIND,))


names = st.text(alphabet="ab/ö", max_size=200)


@given(names, names, st.text(max_size=20))
def test_a_model_name_is_found_and_replaced(name: str, other: str, id_: str) -> None:
    message = INFER(model_name=name, id=id_).SerializeToString()
    assert model_name(message).decode() == name
    replaced = INFER.FromString(with_model_name(message, other.encode()))
    assert (replaced.model_name, replaced.id) == (other, id_)


@given(st.binary(max_size=100))
def test_any_bytes_have_a_name_or_none(message: bytes) -> None:
    assert isinstance(model_name(message), bytes)
    try:
        list(read(message))
    except BadMessage:
        return


@given(st.binary(max_size=60))
def test_what_protobuf_reads_we_read(message: bytes) -> None:
    try:
        parsed = INFER.FromString(message)
    except DecodeError:
        return
    if message[:1] == b"\x0a" and not list(read(message))[1:]:
        assert model_name(message).decode() == parsed.model_name


def test_answers_of_streams() -> None:
    assert of_stream(stream_response(b"abc")) == ("", b"abc")
    assert of_stream(stream_error("nö")) == ("nö", b"")
    answer = CLASSES["ModelStreamInferResponse"].FromString(stream_error("nö"))
    assert answer.error_message == "nö"
