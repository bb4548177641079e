"""Messages in data, however it is cut."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.wire.grpc.framing import Messages, framed
from router.wire.grpc.status import GrpcFault


def fed(messages: Messages, *pieces: bytes) -> list[bytes]:
    return [message for piece in pieces for message in messages.feed(piece)]


@given(st.lists(st.binary(max_size=3000), max_size=6), st.lists(st.integers(1, 2000), max_size=20))
def test_any_cut_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    said = b"".join(framed(message) for message in messages)
    splitter, found, at = Messages(10_000), [], 0
    for size in [*cuts, len(said)]:
        found += splitter.feed(said[at : at + size])
        at += size
    assert found == messages
    assert splitter.between


def test_the_end_within_a_message_is_seen() -> None:
    for part in (b"\0", b"\0\0\0\0\x05", b"\0\0\0\0\x05abc"):
        splitter = Messages(100)
        assert splitter.feed(part) == []
        assert not splitter.between


@pytest.mark.parametrize(
    ("coding", "packed"),
    [(b"gzip", gzip.compress(b"a" * 1000)), (b"deflate", zlib.compress(b"a" * 1000))],
    ids=["gzip", "deflate"],  # gzip writes the time: it must not be in a name
)
def test_compressed(coding: bytes, packed: bytes) -> None:
    splitter = Messages(1000)
    splitter.encoding = coding
    said = b"\1" + len(packed).to_bytes(4, "big") + packed
    assert fed(splitter, said) == [b"a" * 1000]


@pytest.mark.parametrize(
    ("said", "coding", "code"),
    [
        (b"\0\0\0\0\x65", b"identity", "RESOURCE_EXHAUSTED"),
        (b"\2\0\0\0\x01a", b"identity", "INTERNAL"),
        (b"\1\0\0\0\x01a", b"identity", "UNIMPLEMENTED"),
        (b"\1\0\0\0\x01a", b"gzip", "INTERNAL"),
        (b"\1\0\0\0\x00", b"gzip", "INTERNAL"),
        (
            b"\1"
            + len(gzip.compress(b"a" * 10**6)).to_bytes(4, "big")
            + gzip.compress(b"a" * 10**6),
            b"gzip",
            "RESOURCE_EXHAUSTED",
        ),
    ],
    ids=["too long", "unknown flag", "no coding", "damaged", "empty", "a bomb"],
)
def test_what_is_refused(said: bytes, coding: bytes, code: str) -> None:
    splitter = Messages(2000 if code == "RESOURCE_EXHAUSTED" and len(said) > 5 else 100)
    splitter.encoding = coding
    with pytest.raises(GrpcFault) as fault:
        splitter.feed(said)
    assert fault.value.code.name == code


def test_a_message_in_tiny_pieces_costs_no_list_of_them() -> None:
    splitter = Messages(10**6)
    splitter.feed(framed(bytes(10**6))[:5])
    for _ in range(9_999):
        splitter.feed(b"zz")
    assert len(splitter._parts) == 1
