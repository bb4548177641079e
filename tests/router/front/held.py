"""A front whose requests wait until the test answers them, on a clock that the test turns."""

from collections.abc import Callable
from typing import Any, cast

from router.config import Limits
from router.front.connection import ClientConnection
from router.front.http import HttpFront
from router.messages import CLIENT_CLOSED, Cancellable, Request, Respond, Response
from router.wire.refused import Refused
from tests.kit.message import Response as Answer
from tests.kit.message import take_response
from tests.router.wire.transport import FakeTransport


class Held:
    """One request that the handler was given."""

    def __init__(self, request: Request, respond: Respond) -> None:
        self.request = request
        self.cancelled = 0
        self._respond = respond
        self._over = False

    @property
    def path(self) -> bytes:
        return self.request.head.path

    def answer(self, body: bytes = b"ok", status: int = 200, close: bool = False) -> None:
        self._over = True
        self._respond(Response(status, (), body, close))

    def cancel(self) -> None:
        self.cancelled += 1
        if not self._over:
            self._over = True
            self._respond(Response(CLIENT_CLOSED))


class Clock:
    """Of a loop, what a front asks: the time, and to be called later."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._later: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self._later.append((self.now + delay, callback))

    def turn_to(self, now: float) -> None:
        self.now = now
        due = [entry for entry in self._later if entry[0] <= now]
        self._later = [entry for entry in self._later if entry[0] > now]
        for _, callback in due:
            callback()


class Front:
    def __init__(self, limits: Limits | None = None, read_limit_s: float | None = None) -> None:
        self.clock = Clock()
        self.held: list[Held] = []
        self.refused: list[int] = []
        self.http = HttpFront(
            self._handle,
            limits or Limits(),
            lambda path, host: read_limit_s,
            self._note,
            cast(Any, self.clock),
        )

    def connect(self) -> "Wire":
        return Wire(self)

    def pass_time(self, seconds: int) -> None:
        """A sweep each second."""
        for _ in range(seconds):
            self.clock.turn_to(self.clock.now + 1.0)
            self.http.sweep()

    def _handle(self, request: Request, respond: Respond) -> Cancellable:
        held = Held(request, respond)
        self.held.append(held)
        return held

    def _note(self, fault: Refused, client: str) -> None:
        self.refused.append(fault.status)


class Wire:
    """The client's end of one connection."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self.transport = FakeTransport()
        self.connection = ClientConnection(front.http)
        self.connection.connection_made(self.transport)

    @property
    def state(self) -> str:
        return self.transport.state

    def send(self, *portions: bytes) -> None:
        for portion in portions:
            assert self.transport.reading, "the client's bytes stay in the socket"
            self.connection.data_received(portion)

    def end(self) -> None:
        """End of stream, and what the transport makes of it."""
        assert self.connection.eof_received() is False
        self.transport.close()
        self.lose()

    def lose(self) -> None:
        self.connection.connection_lost(None)

    def answers(self, to_head: bool = False) -> list[Answer]:
        """The whole answers written since the last look."""
        found = []
        data = bytes(self.transport.written)
        while data and (taken := take_response(data, to_head=to_head)):
            found.append(taken[0])
            data = data[taken[1] :]
        assert not data, "half an answer"
        self.transport.written.clear()
        return found
