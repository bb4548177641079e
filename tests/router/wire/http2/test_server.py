"""A server's end, frame by frame: what it does for honest clients, and where others end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.wire.http2 import codes, connection, frames
from router.wire.http2.codes import PREFACE, ErrorCode
from router.wire.http2.hpack import encode
from tests.router.wire.http2.peer import (
    REQUEST,
    SETTINGS,
    Server,
    data,
    frame,
    headers,
    reset,
    update,
)


def test_a_call_and_its_answer() -> None:
    server = Server()
    assert server.feed(headers(1), data(1, b"hello", end=True)) == ""
    assert server.notes == ["headers 3", "data 5 end"]
    server.streams[0].send(encode(((b":status", b"200"),)), b"world", b"\x00\x01a\x01b")
    assert server.written() == ["HEADERS 1", "DATA 1 5", "HEADERS 1 end"]
    assert not server.connection.streams


def test_an_answer_of_headers_alone() -> None:
    server = Server()
    server.feed(headers(1, end=True))
    server.streams[0].send(b"\x88", end=True)
    assert server.written() == ["HEADERS 1 end"]
    assert not server.connection.streams


def test_the_first_block_says_that_there_is_no_table_and_later_ones_do_not() -> None:
    server = Server()
    pieces: list[bytes] = []
    server.write = lambda piece: pieces.append(bytes(piece))  # type: ignore[method-assign]
    server.connection._write = server.write
    for number in (1, 3):
        server.feed(headers(number, end=True))
        server.streams[-1].send(b"\x88", end=True)
    assert [piece[9:] for piece in pieces] == [b"\x20\x88", b"\x88"]


def test_what_does_not_fit_waits_for_the_window() -> None:
    server = Server()
    server.feed(headers(1, end=True))
    (stream,) = server.streams
    stream.send(b"\x88", b"z" * 100_000, b"\x88")
    sizes = ["DATA 1 16384"] * 3 + ["DATA 1 16383"]
    assert server.written() == ["HEADERS 1", *sizes]
    assert stream.waiting
    assert server.feed(update(1, 20_000)) == ""
    assert server.written() == []  # the connection's own window is used up too
    server.feed(update(0, 10_000))
    assert server.written() == ["DATA 1 10000"]
    server.feed(update(0, 1_000_000), update(1, 1_000_000))
    assert server.written()[-1] == "HEADERS 1 end"
    assert not server.connection.streams


def test_two_that_wait_take_turns() -> None:
    server = Server()
    server.feed(headers(1, end=True), headers(3, end=True), update(1, 10**6), update(3, 10**6))
    server.feed(SETTINGS)
    for stream in server.streams:
        stream.send(b"\x88", b"z" * 65_536, b"\x88")
    server.written()
    server.feed(update(0, 65_536))
    turns = [line.split()[1] for line in server.written() if line.startswith("DATA")]
    assert {"1", "3"} == set(turns)


def test_a_full_socket_stops_data_and_nothing_else() -> None:
    server = Server()
    server.feed(headers(1, end=True))
    server.connection.pause()
    server.streams[0].send(b"\x88", b"hello", b"\x88")
    server.feed(frame(codes.PING, 0, 0, b"12345678"))
    assert server.written() == ["HEADERS 1", "PING 0 ack"]
    server.connection.resume()
    assert server.written() == ["DATA 1 5", "HEADERS 1 end"]


def test_who_changes_its_window_changes_that_of_open_streams() -> None:
    server = Server()
    server.feed(headers(1, end=True))
    server.feed(frames.settings({codes.INITIAL_WINDOW_SIZE: 10}))
    server.streams[0].send(b"\x88", b"z" * 30, b"\x88")
    assert server.written() == ["SETTINGS 0 ack", "HEADERS 1", "DATA 1 10"]
    server.feed(frames.settings({codes.INITIAL_WINDOW_SIZE: 25}))
    assert server.written() == ["SETTINGS 0 ack", "DATA 1 15"]


def test_data_that_is_dealt_with_is_thanked_for_in_large_pieces() -> None:
    server = Server()
    server.feed(headers(1))
    piece = data(1, b"z" * 200_000)
    for _ in range(2):
        assert server.feed(piece) == ""
    assert server.written() == []
    server.feed(piece)
    assert server.written() == ["WINDOW_UPDATE 1 600000"]


def test_data_that_nobody_deals_with_ends_at_the_window() -> None:
    server = Server()
    server.thanks = False
    server.feed(headers(1))
    for _ in range(connection.STREAM_WINDOW // 200_000):
        assert server.feed(data(1, b"z" * 200_000)) == ""
    assert server.feed(data(1, b"z" * 200_000)) == ""
    assert server.written() == ["RST_STREAM 1 FLOW_CONTROL_ERROR"]
    assert server.notes[-1] == "lost FLOW_CONTROL_ERROR"


def test_the_window_of_a_stream_that_is_gone_is_given_back() -> None:
    """Else a few cancelled uploads would stop the connection."""
    server = Server()
    server.thanks = False
    for number in range(1, 200, 2):
        assert server.feed(headers(number), data(number, b"z" * 100_000), reset(number)) == ""
    assert not server.connection.streams
    given = [line for line in server.written() if line.startswith("WINDOW_UPDATE 0")]
    assert len(given) == 100 * 100_000 // connection.CONNECTION_WINDOW * 2


def test_a_reset_is_told_once() -> None:
    server = Server()
    server.feed(headers(1), reset(1), reset(1), data(1, b"late"), update(1, 5))
    assert server.notes == ["headers 3", "lost CANCEL"]


def test_what_comes_after_our_own_reset_is_ignored() -> None:
    server = Server()
    server.feed(headers(1))
    server.streams[0].reset(ErrorCode.CANCEL)
    assert server.feed(data(1, b"late"), headers(1, end=True), reset(1)) == ""
    assert server.notes == ["headers 3"]
    assert server.written() == ["RST_STREAM 1 CANCEL"]


def test_one_stream_too_many_is_refused() -> None:
    server = Server(streams=2)
    server.feed(headers(1), headers(3), headers(5))
    assert server.written() == ["RST_STREAM 5 REFUSED_STREAM"]
    assert len(server.streams) == 2


def test_a_header_block_in_pieces() -> None:
    server = Server()
    parts = [REQUEST[:3], REQUEST[3:9], REQUEST[9:]]
    server.feed(headers(1, parts[0], end=True, whole=False))
    server.feed(frame(codes.CONTINUATION, 0, 1, parts[1]))
    assert server.notes == []
    server.feed(frame(codes.CONTINUATION, codes.END_HEADERS, 1, parts[2]))
    assert server.notes == ["headers 3 end"]


def test_padding_and_priority_are_taken_off() -> None:
    server = Server()
    flags = codes.PADDED | codes.WITH_PRIORITY | codes.END_HEADERS
    server.feed(frame(codes.HEADERS, flags, 1, b"\x03" + bytes(5) + REQUEST + bytes(3)))
    server.feed(frame(codes.DATA, codes.PADDED | codes.END_STREAM, 1, b"\x04" + b"hi" + bytes(4)))
    assert server.notes == ["headers 3", "data 2 end"]


def test_who_is_told_to_leave_may_finish() -> None:
    server = Server()
    server.feed(headers(1))
    server.connection.leave()
    assert server.feed(headers(3)) == ""
    server.connection.refuse()
    assert server.feed(headers(5), data(1, b"x", end=True)) == ""
    assert server.written() == ["GOAWAY 0 2147483647 NO_ERROR", "GOAWAY 0 3 NO_ERROR"]
    assert server.notes == ["headers 3", "headers 3", "data 1 end"]


def test_the_end_of_the_connection_is_the_end_of_its_streams() -> None:
    server = Server()
    server.feed(headers(1), headers(3))
    server.connection.close("gone")
    assert server.notes == ["headers 3", "headers 3", "lost none", "lost none"]
    server.streams[0].send(b"\x88", end=True)
    assert server.written() == []


@given(st.lists(st.integers(1, 40), max_size=30))
def test_any_cut_of_the_bytes_is_the_same(cuts: list[int]) -> None:
    said = b"".join(
        (headers(1), data(1, b"hello"), frame(codes.PING, 0, 0, bytes(8)), headers(3, end=True),
         data(1, b"x" * 50, end=True), update(0, 7), reset(3))
    )  # fmt: skip
    whole, cut = Server(), Server()
    whole.feed(said)
    at = 0
    for size in [*cuts, len(said)]:
        cut.feed(said[at : at + size])
        at += size
    assert cut.notes == whole.notes
    assert cut.written() == whole.written()


# who loses the right to the connection

BAD = {
    "data for no stream": (data(0, b"x"), "PROTOCOL_ERROR"),
    "data for a stream that was never opened": (data(1, b"x"), "PROTOCOL_ERROR"),
    "data after the end": (headers(1, end=True) + data(1, b"x"), "STREAM_CLOSED"),
    "headers for no stream": (headers(0), "PROTOCOL_ERROR"),
    "headers for a stream of ours": (headers(2), "PROTOCOL_ERROR"),
    "headers after the end": (headers(1, end=True) + headers(1), "STREAM_CLOSED"),
    "a reset of what was never opened": (reset(1), "PROTOCOL_ERROR"),
    "a window for what was never opened": (update(1, 1), "PROTOCOL_ERROR"),
    "a reset of another length": (frame(codes.RST_STREAM, 0, 1, b"123"), "FRAME_SIZE_ERROR"),
    "a window of another length": (frame(codes.WINDOW_UPDATE, 0, 0, b"1"), "FRAME_SIZE_ERROR"),
    "a window of nothing": (update(0, 0), "PROTOCOL_ERROR"),
    "a window without bounds": (update(0, 2**31 - 1) * 2, "FLOW_CONTROL_ERROR"),
    "a ping on a stream": (frame(codes.PING, 0, 1, bytes(8)), "PROTOCOL_ERROR"),
    "a ping of another length": (frame(codes.PING, 0, 0, bytes(7)), "FRAME_SIZE_ERROR"),
    "settings on a stream": (frame(codes.SETTINGS, 0, 1), "PROTOCOL_ERROR"),
    "half a setting": (frame(codes.SETTINGS, 0, 0, bytes(5)), "FRAME_SIZE_ERROR"),
    "an acknowledgement with settings": (
        frame(codes.SETTINGS, codes.ACK, 0, bytes(6)),
        "FRAME_SIZE_ERROR",
    ),
    "many settings": (frame(codes.SETTINGS, 0, 0, bytes(6 * 1000)), "ENHANCE_YOUR_CALM"),
    "an initial window without bounds": (
        frames.settings({codes.INITIAL_WINDOW_SIZE: 2**31}),
        "FLOW_CONTROL_ERROR",
    ),
    "frames of a size that is not allowed": (
        frames.settings({codes.MAX_FRAME_SIZE: 100}),
        "PROTOCOL_ERROR",
    ),
    "a push": (frame(codes.PUSH_PROMISE, 4, 1, bytes(4)), "PROTOCOL_ERROR"),
    "a priority of another length": (frame(codes.PRIORITY, 0, 1, bytes(4)), "FRAME_SIZE_ERROR"),
    "a large frame": (frames.head(connection.FRAME_BYTES + 1, 0, 0, 1), "FRAME_SIZE_ERROR"),
    "padding longer than its data": (
        headers(1) + frame(codes.DATA, codes.PADDED, 1, b"\x05abc"),
        "PROTOCOL_ERROR",
    ),
    "padding longer than its headers": (
        frame(codes.HEADERS, codes.PADDED | 4, 1, b"\xff\x82"),
        "PROTOCOL_ERROR",
    ),
    "padding of nothing": (headers(1) + frame(codes.DATA, codes.PADDED, 1), "PROTOCOL_ERROR"),
    "a priority cut short": (
        frame(codes.HEADERS, codes.WITH_PRIORITY | 4, 1, bytes(4)),
        "FRAME_SIZE_ERROR",
    ),
    "a continuation of nothing": (frame(codes.CONTINUATION, 4, 1), "PROTOCOL_ERROR"),
    "a continuation of another stream": (
        headers(1, whole=False) + frame(codes.CONTINUATION, 4, 3),
        "PROTOCOL_ERROR",
    ),
    "something within a header block": (
        headers(1, whole=False) + frame(codes.PING, 0, 0, bytes(8)),
        "PROTOCOL_ERROR",
    ),
    "a header block that cannot be read": (headers(1, b"\xff\xff\xff"), "COMPRESSION_ERROR"),
    "a goaway cut short": (frame(codes.GOAWAY, 0, 0, bytes(7)), "FRAME_SIZE_ERROR"),
    "a goaway on a stream": (frame(codes.GOAWAY, 0, 1, bytes(8)), "PROTOCOL_ERROR"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_fault_ends_the_connection(name: str) -> None:
    said, code = BAD[name]
    server = Server()
    assert server.feed(said) == code
    assert server.written()[-1].split()[0::3] == ["GOAWAY", code]


def test_what_is_no_http2() -> None:
    server = Server.__new__(Server)
    super(Server, server).__init__()
    server.connection = type(Server().connection)(server.write, server.open, 4096, 64, 10)
    server.written()
    assert server.feed(b"GET / HTTP/1.1\r\n") == "PROTOCOL_ERROR"
    assert server.written() == []


def test_the_first_frame_must_be_settings() -> None:
    server = Server.__new__(Server)
    super(Server, server).__init__()
    server.connection = type(Server().connection)(server.write, server.open, 4096, 64, 10)
    assert server.feed(PREFACE[:5]) == ""
    assert server.feed(PREFACE[5:], headers(1)) == "PROTOCOL_ERROR"


# floods: each goes on until the connection ends, and must end soon

FLOODS = {
    "pings": frame(codes.PING, 0, 0, bytes(8)),
    "acknowledgements of pings": frame(codes.PING, codes.ACK, 0, bytes(8)),
    "settings": SETTINGS,
    "priorities": frame(codes.PRIORITY, 0, 1, bytes(5)),
    "frames that nobody knows": frame(99, 0, 0),
    "windows": update(0, 1),
    "empty data": data(1, b""),
    "trailers that do not end": headers(1),
    "late data": data(3, b""),
    "goaways": frame(codes.GOAWAY, 0, 0, bytes(8)),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_the_connection(name: str) -> None:
    server = Server()
    server.feed(headers(1), headers(3), reset(3))
    for _ in range(10):
        broke = server.feed(FLOODS[name] * 900)
        if broke:
            break
        server.connection.second()
    assert broke == "ENHANCE_YOUR_CALM"


def test_rapid_resets_end_the_connection() -> None:
    server = Server()
    broke = ""
    for number in range(1, 20_001, 2):
        broke = broke or server.feed(headers(number), reset(number))
        if broke:
            break
    assert broke == "ENHANCE_YOUR_CALM"
    assert len(server.streams) < 3000


def test_streams_beyond_the_limit_without_end() -> None:
    server = Server(streams=1)
    broke = ""
    for number in range(1, 20_001, 2):
        broke = broke or server.feed(headers(number))
    assert broke == "ENHANCE_YOUR_CALM"


@pytest.mark.parametrize("part", [b"", b"\x00\x01a\x01b" * 20], ids=["empty", "full"])
def test_a_header_block_without_end(part: bytes) -> None:
    server = Server()
    assert server.feed(headers(1, whole=False)) == ""
    broke = ""
    for _ in range(100):
        broke = broke or server.feed(frame(codes.CONTINUATION, 0, 1, part))
    assert broke == "ENHANCE_YOUR_CALM"


def test_a_small_block_of_large_headers() -> None:
    """One entry of the table, named again and again."""
    server = Server()
    large = b"\x40" + b"\x01x" + b"\x7f\xd1\x0e" + b"v" * 2000
    assert server.feed(headers(1, large)) == ""
    assert server.feed(headers(3, b"\xbe" * 1000)) == "ENHANCE_YOUR_CALM"


def test_many_small_headers() -> None:
    server = Server()
    assert server.feed(headers(1, b"\x82" * 65)) == "ENHANCE_YOUR_CALM"


def test_an_honest_client_never_loses_its_calm() -> None:
    """As gRPC's C core: a ping and two window updates for each answer."""
    server = Server()
    noise = frame(codes.PING, 0, 0, bytes(8)) + update(0, 10) + frame(codes.PING, 1, 0, bytes(8))
    for number in range(1, 10_000, 2):
        assert server.feed(headers(number), data(number, b"hello", end=True)) == ""
        server.streams.pop().send(b"\x88", b"world", b"\x88")
        assert server.feed(noise) == ""
        server.written()


@given(st.binary(max_size=300))
def test_any_bytes_break_it_or_not(said: bytes) -> None:
    server = Server()
    server.feed(headers(1))
    server.feed(said)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10), st.integers(0, 255), st.integers(0, 6), st.binary(max_size=20)
        ),
        max_size=20,
    )
)
def test_any_frames_break_it_or_not(said: list[tuple[int, int, int, bytes]]) -> None:
    server = Server()
    for kind, flags, stream, body in said:
        if server.feed(frame(kind, flags, stream, body)):
            break
        for each in server.streams:
            each.send(b"\x88", b"x" * 10, b"\x88")
    server.connection.close("over")
    assert not server.connection.streams
    losses = [note for note in server.notes if note.startswith("lost")]
    assert len(losses) <= len(server.streams)
