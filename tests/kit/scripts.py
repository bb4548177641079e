"""What a predictor can do to its caller, each as a script: `reply(b"{}")`, `reset(after=10)`,
`hold(gate)`...

A script is a coroutine function of one Exchange, so a test can write its own beside these.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from tests.kit.message import Fields

if TYPE_CHECKING:
    from tests.kit.predictor import Exchange

Script = Callable[["Exchange"], Awaitable[None]]

JSON: Fields = ((b"content-type", b"application/json"),)


class Gate:
    """Holds scripts until a test opens it, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self) -> None:
        with self._lock:
            self._open = True
            for loop, event in self._waiting:
                loop.call_soon_threadsafe(event.set)
            self._waiting.clear()

    async def opened(self) -> None:
        event = asyncio.Event()
        with self._lock:
            if self._open:
                return
            self._waiting.append((asyncio.get_running_loop(), event))
        await event.wait()


def render(body: bytes = b"{}", status: int = 200, headers: Fields = JSON) -> bytes:
    """An answer with its Content-Length, as bytes."""
    fields = (*headers, (b"content-length", b"%d" % len(body)))
    lines = b"".join(b"%s: %s\r\n" % field for field in fields)
    return b"HTTP/1.1 %d Status\r\n%s\r\n%s" % (status, lines, body)


def reply(
    body: bytes = b"{}", status: int = 200, headers: Fields = JSON, *, close: bool = False
) -> Script:
    """An answer; `close` announces the end of the connection and ends it."""
    announced = (*headers, (b"connection", b"close")) if close else headers
    return raw(render(body, status, announced), close=close)


def reply_then_close(body: bytes = b"{}") -> Script:
    """An answer that promises a living connection, which is then closed: a stale one for the
    pool.
    """
    return raw(render(body), close=True)


def echo() -> Script:
    """The request's body and Content-Type."""

    async def script(exchange: "Exchange") -> None:
        kind = exchange.request.header(b"content-type") or b"application/octet-stream"
        exchange.send(render(exchange.request.body, headers=((b"content-type", kind),)))

    return script


def raw(data: bytes, *, close: bool = False) -> Script:
    """Exactly these bytes, HTTP or not."""

    async def script(exchange: "Exchange") -> None:
        exchange.send(data)
        if close:
            exchange.close()

    return script


def hold(gate: Gate, then: Script | None = None) -> Script:
    """Nothing until the gate opens, then the other script."""

    async def script(exchange: "Exchange") -> None:
        await gate.opened()
        await (then or reply())(exchange)

    return script


def never() -> Script:
    """No answer, ever; the connection stays open until the caller leaves."""

    async def script(exchange: "Exchange") -> None:
        await exchange.left()

    return script


def stall() -> Script:
    """No answer, and not a byte more is read. Wrapped in `early`, the caller's body fills its
    buffers.
    """

    async def script(exchange: "Exchange") -> None:
        exchange.stop_reading()
        await asyncio.Event().wait()

    return script


def drop(after: int = 0, answer: bytes | None = None) -> Script:
    """Close in an orderly way after so many bytes of an answer."""
    return raw((answer or render(b'{"predictions": [1, 2, 3]}'))[:after], close=True)


def reset(after: int = 0, answer: bytes | None = None) -> Script:
    """Reset the connection after so many bytes of an answer."""

    async def script(exchange: "Exchange") -> None:
        exchange.send((answer or render(b'{"predictions": [1, 2, 3]}'))[:after])
        await exchange.flushed()
        exchange.reset()

    return script


def half_close(after: int = 0, answer: bytes | None = None) -> Script:
    """End the sending side after so many bytes of an answer, and go on reading."""

    async def script(exchange: "Exchange") -> None:
        exchange.send((answer or render(b'{"predictions": [1, 2, 3]}'))[:after])
        exchange.half_close()
        await exchange.left()

    return script


def pieces(parts: Iterable[bytes], pause_s: float = 0.001, *, close: bool = False) -> Script:
    """Bytes in parts with a pause after each, so that they arrive one by one."""

    async def script(exchange: "Exchange") -> None:
        for part in parts:
            exchange.send(part)
            await exchange.flushed()
            await asyncio.sleep(pause_s)
        if close:
            exchange.close()

    return script


def flood(head: bytes = b"HTTP/1.1 100 Continue\r\n\r\n", count: int | None = None) -> Script:
    """The same bytes over and over, for ever or `count` times and then an answer."""

    async def script(exchange: "Exchange") -> None:
        sent = 0
        while count is None or sent < count:
            exchange.send(head * 100 if count is None else head)
            await exchange.flushed()
            sent += 1
        exchange.send(render())

    return script


class Early:
    """A script to run as soon as the head has come, before the body."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def __call__(self, exchange: "Exchange") -> None:
        await self.script(exchange)


def early(script: Script) -> Script:
    return Early(script)


def is_early(script: Script) -> bool:
    return isinstance(script, Early)
