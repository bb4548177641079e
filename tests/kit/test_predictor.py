"""The predictor does what its scripts say, and sees what its caller does."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.kit.client import Client, Ended, request
from tests.kit.eventually import eventually
from tests.kit.message import Malformed
from tests.kit.predictor import Predictor
from tests.kit.scripts import (
    Gate,
    Script,
    drop,
    early,
    echo,
    flood,
    half_close,
    hold,
    never,
    pieces,
    raw,
    render,
    reply,
    reply_then_close,
    reset,
    stall,
)

ANSWER = render(b'{"a": 1}')


@pytest.mark.parametrize("every", [None, 1, 7])
async def test_echo_answers_with_the_body_however_it_arrives(
    predictor: Predictor, every: int | None
) -> None:
    predictor.on("/echo", echo())
    async with Client.to(predictor.port) as client:
        for body in (b"one", b"two"):
            await client.send(request("/echo?q=1", body), every=every)
            assert (await client.response()).body == body
    assert predictor.bodies == [b"one", b"two"]
    assert [asked.path for asked in predictor.requests] == [b"/echo?q=1"] * 2
    assert len(predictor.connections) == 1


async def test_chunked_requests_are_read(predictor: Predictor) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with Client.to(predictor.port) as client:
        await client.ask(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert predictor.bodies == [b"abcde"]


async def test_each_request_takes_the_next_script_and_the_last_one_stays(
    predictor: Predictor,
) -> None:
    predictor.on("/m", reply(status=500), reply(status=429), reply())
    async with Client.to(predictor.port) as client:
        statuses = [(await client.ask(request("/m"))).status for _ in range(4)]
    assert statuses == [500, 429, 200, 200]


async def test_a_held_answer_comes_when_the_gate_opens(predictor: Predictor) -> None:
    gate = Gate()
    predictor.on("/m", hold(gate, reply(b"late")))
    async with Client.to(predictor.port) as client:
        await client.send(request("/m"))
        await eventually(lambda: predictor.served == 1)
        gate.open()
        assert (await client.response()).body == b"late"
    assert predictor.cancelled == 0


ENDINGS: dict[str, tuple[Script, bytes]] = {
    "drop before the answer": (drop(), b""),
    "drop inside it": (drop(20, ANSWER), ANSWER[:20]),
    "half-close": (half_close(20, ANSWER), ANSWER[:20]),
    "reset before the answer": (reset(), b""),
    "garbage": (raw(b"\x00\xff", close=True), b"\x00\xff"),
    "pieces": (pieces([ANSWER[:10], ANSWER[10:20]], close=True), ANSWER[:20]),
}


@pytest.mark.parametrize(("script", "left"), ENDINGS.values(), ids=ENDINGS)
async def test_the_connection_ends_as_scripted(
    predictor: Predictor, script: Script, left: bytes
) -> None:
    predictor.default = script
    async with Client.to(predictor.port) as client:
        await client.send(request())
        assert await client.closed() == left


async def test_a_stale_connection_announces_nothing_and_ends(predictor: Predictor) -> None:
    predictor.on("/stale", reply_then_close())
    predictor.on("/close", reply(close=True))
    async with Client.to(predictor.port) as client:
        assert not (await client.ask(request("/stale"))).closes
        assert await client.closed() == b""
    async with Client.to(predictor.port) as client:
        assert (await client.ask(request("/close"))).closes


async def test_a_flood_of_interim_answers_comes_before_the_answer(predictor: Predictor) -> None:
    predictor.default = flood(count=1000)
    async with Client.to(predictor.port) as client:
        assert (await client.ask(request())).interim == (100,) * 1000


async def test_an_early_script_runs_before_the_body_has_come(predictor: Predictor) -> None:
    predictor.default = early(reply(status=413))
    whole = request(body=b"x" * 100)
    async with Client.to(predictor.port) as client:
        await client.send(whole[:-50])
        assert (await client.response()).status == 413
    assert (predictor.heads, predictor.served) == (1, 0)


@pytest.mark.parametrize("leave", [Client.reset, Client.abort, Client.half_close])
async def test_a_caller_that_leaves_is_counted(
    predictor: Predictor, leave: Callable[[Client], None]
) -> None:
    predictor.default = never()
    async with Client.to(predictor.port) as client:
        await client.send(request())
        await eventually(lambda: predictor.served == 1)
        assert predictor.open_connections == 1
        leave(client)
        await eventually(lambda: not predictor.open_connections)
    assert predictor.cancelled == 1


async def test_a_stalled_predictor_reads_no_more(predictor: Predictor) -> None:
    predictor.default = early(stall())
    async with Client.to(predictor.port) as client:
        await client.send(request(body=b"x" * 100_000)[:1000])
        await eventually(lambda: predictor.heads == 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.send(b"x" * 100_000_000)
    assert len(predictor.connections[0].received) <= 1000


async def test_a_refusing_predictor_can_come_back_on_its_port() -> None:
    async with Predictor() as predictor:
        predictor.refuse()
        with pytest.raises(ConnectionRefusedError):
            async with Client.to(predictor.port):
                pass
        await predictor.listen()
        async with Client.to(predictor.port) as client:
            assert (await client.ask(request())).status == 200


async def test_what_is_no_http_fails_the_test() -> None:
    async def ask_badly() -> None:
        async with Predictor() as predictor, Client.to(predictor.port) as client:
            await client.send(b"POST / HTTP/1.1\nHost: a\n\n")
            await client.closed()

    with pytest.raises(AssertionError, match="bare LF"):
        await ask_badly()


async def test_it_speaks_tls(server_tls: ssl.SSLContext, authority: trustme.CA) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with (
        Predictor(tls=server_tls) as predictor,
        Client.to(predictor.port, "localhost", trusting) as client,
    ):
        assert predictor.url("/m").startswith("https://localhost:")
        assert (await client.ask(request())).status == 200


async def test_it_listens_on_a_unix_socket(tmp_path: Path) -> None:
    async with Predictor(unix=str(tmp_path / "socket")) as predictor:
        async with Client.to_unix(str(tmp_path / "socket")) as client:
            assert (await client.ask(request())).status == 200
        assert predictor.origin == f"unix:{tmp_path}/socket"


async def test_in_a_thread_it_serves_a_test_that_blocks() -> None:
    gate = Gate()
    with Predictor().in_thread() as predictor:
        predictor.default = hold(gate, reply(b"from afar"))
        gate.open()
        async with Client.to(predictor.port) as client:
            assert (await client.ask(request())).body == b"from afar"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BAD_ANSWERS = {
    "both lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "a folded line": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a bad chunk size": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_the_client_refuses_what_is_no_http(predictor: Predictor, answer: bytes) -> None:
    predictor.default = raw(answer)
    async with Client.to(predictor.port) as client:
        with pytest.raises(Malformed):
            await client.ask(request())


async def test_the_client_tells_an_answer_that_broke_off(predictor: Predictor) -> None:
    predictor.default = drop(len(ANSWER) - 1, ANSWER)
    async with Client.to(predictor.port) as client:
        with pytest.raises(Ended, match=r"HTTP/1\.1 200"):
            await client.ask(request())
