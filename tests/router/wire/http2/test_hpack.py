"""Header blocks, beside the decoder of the `hpack` package."""

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.effects import Headers
from router.wire.http2.codes import Broken
from router.wire.http2.hpack import Decoder, encode

HEADERS: Headers = (
    (b":method", b"POST"),
    (b":path", b"/inference.GRPCInferenceService/ModelInfer"),
    (b"te", b"trailers"),
    (b"x-long", b"v" * 300),
    (b"grpc-timeout", b"4999m"),
)
names = st.sampled_from([b":path", b"te", b"x-a", b"cookie", b"", b"n" * 200])
some = st.lists(st.tuples(names, st.binary(max_size=40)), max_size=8)


def judged(decoder: Decoder, block: bytes) -> Headers | str:
    try:
        return decoder.decode(block).headers
    except Broken as fault:
        return fault.code.name


def theirs(decoder: hpack.Decoder, block: bytes) -> Headers | str:
    try:
        decoded = decoder.decode(block, raw=True)
        return tuple((bytes(field[0]), bytes(field[1])) for field in decoded)
    except hpack.HPACKError:
        return "COMPRESSION_ERROR"


@given(st.lists(some, max_size=6), st.booleans())
def test_what_they_encode_we_decode(blocks: list[list[tuple[bytes, bytes]]], short: bool) -> None:
    encoder, decoder = hpack.Encoder(), Decoder(1 << 20, 1000)
    if short:
        encoder.header_table_size = 100
    for headers in blocks:
        assert decoder.decode(encoder.encode(headers)).headers == tuple(headers)


@given(some)
def test_what_we_encode_they_decode(headers: list[tuple[bytes, bytes]]) -> None:
    block = encode(tuple(headers))
    assert theirs(hpack.Decoder(), block) == tuple(headers)
    assert judged(Decoder(1 << 20, 1000), block) == tuple(headers)


@given(st.data())
def test_the_same_verdict_on_damaged_blocks(data: st.DataObject) -> None:
    encoder, ours, others = hpack.Encoder(), Decoder(1 << 20, 1000), hpack.Decoder()
    for huffman in (True, False, True):
        block = bytearray(encoder.encode(HEADERS, huffman=huffman))
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(block) - 1))
            block[at] = data.draw(st.integers(0, 255))
        verdict = judged(ours, bytes(block))
        assert verdict == theirs(others, bytes(block))
        if isinstance(verdict, str):
            return


@given(st.binary(max_size=60))
def test_any_bytes(block: bytes) -> None:
    assert judged(Decoder(1 << 20, 1000), block) == theirs(hpack.Decoder(), block)


def test_a_block_means_the_same_only_while_the_table_does() -> None:
    decoder = Decoder(4096, 100)
    decoder.decode(b"\x40\x01a\x011")
    assert decoder.decode(b"\xbe").headers == ((b"a", b"1"),)
    assert decoder.decode(b"\xbe").headers == ((b"a", b"1"),)
    decoder.decode(b"\x40\x01b\x012")
    assert decoder.decode(b"\xbe").headers == ((b"b", b"2"),)


def test_an_equal_block_is_the_same_object() -> None:
    decoder = Decoder(4096, 100)
    block = encode(HEADERS)
    assert decoder.decode(block) is decoder.decode(block)


def test_with_no_table_blocks_that_add_to_it_are_remembered_too() -> None:
    decoder = Decoder(4096, 100)
    decoder.allowed = 0
    block = b"\x40\x01a\x011"
    assert decoder.decode(b"\x20" + block).headers == ((b"a", b"1"),)
    assert decoder.decode(block) is decoder.decode(block)
    with pytest.raises(Broken):
        decoder.decode(b"\x21")


@pytest.mark.parametrize("count", [0, 127, 128, 129, 500])
def test_more_blocks_than_are_remembered(count: int) -> None:
    decoder = Decoder(4096, 100)
    for number in range(count):
        block = encode(((b"x", b"%d" % number),))
        assert decoder.decode(block).headers == ((b"x", b"%d" % number),)
