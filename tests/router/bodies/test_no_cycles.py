"""A stream leaves nothing behind that only the garbage collector could find: it would run in the
middle of other requests. Both connections of it without sockets.
"""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Callable

import pytest

from graph.plan import Target
from router.front.connection import ClientConnection
from router.upstream.connection import Connection
from router.upstream.http import Place
from router.upstream.pool import Pool
from tests.router.bodies.plane import LAST, Plane, chunk, head
from tests.router.whole import source
from tests.router.wire.transport import FakeTransport

URL = "http://127.0.0.1:9/m"
ASK = b"POST /graphs/test/g HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
UPLOAD = b"POST /graphs/test/g HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Joined:
    """A client's connection, and a predictor's in the pool."""

    def __init__(self, plane: Plane, pool: Pool) -> None:
        self.client = ClientConnection(plane.plane._front)
        self.client.connection_made(FakeTransport())
        self.socket = socket.socket()
        self.predictor = Connection(pool, self.socket, "127.0.0.1")
        self.predictor.connection_made(FakeTransport())
        pool._all.add(self.predictor)
        self.predictor.idle_since = pool.loop.time()
        pool._idle.append(self.predictor)

    def end(self) -> None:
        self.client.connection_lost(None)
        self.predictor.connection_lost(None)
        self.socket.close()

    def whole(self) -> None:
        self.client.data_received(ASK)
        for piece in (head() + chunk(b"1"), chunk(b"2"), LAST):
            self.predictor.data_received(piece)

    def held_back(self) -> None:
        self.client.data_received(ASK)
        self.predictor.data_received(head() + chunk(b"1"))
        self.client.pause_writing()
        self.client.resume_writing()
        self.predictor.data_received(LAST)

    def broken(self) -> None:
        self.client.data_received(ASK)
        self.predictor.data_received(head() + chunk(b"1"))
        self.predictor.connection_lost(ConnectionResetError())

    def left(self) -> None:
        self.client.data_received(ASK)
        self.predictor.data_received(head() + chunk(b"1"))
        self.client.connection_lost(ConnectionResetError())

    def uploaded(self) -> None:
        self.client.data_received(UPLOAD + chunk(b"1"))
        self.client.data_received(chunk(b"2") + LAST)
        self.predictor.data_received(head() + chunk(b"1"))
        self.predictor.data_received(LAST)

    def answered_early(self) -> None:
        self.client.data_received(UPLOAD + chunk(b"1"))
        self.predictor.data_received(head("Content-Length: 0\r\n", status=413))

    def left_within_the_upload(self) -> None:
        self.client.data_received(UPLOAD + chunk(b"1"))
        self.client.connection_lost(None)


@pytest.mark.parametrize(
    "conversation",
    [
        *(Joined.whole, Joined.held_back, Joined.broken, Joined.left, Joined.uploaded),
        *(Joined.answered_early, Joined.left_within_the_upload),
    ],
    ids=lambda conversation: conversation.__name__,
)
async def test_nothing_is_left(conversation: Callable[[Joined], None]) -> None:
    plane = Plane()
    with contextlib.closing(plane):
        steps = [{"serviceUrl": URL}]
        graph = source(
            "g", {"root": {"routerType": "Splitter", "steps": [{**steps[0], "weight": 100}]}}
        )
        await plane.install(graph)
        place = plane.plane._upstream._places[URL] = plane.plane._upstream._place(Target(URL, URL))
        assert isinstance(place, Place)
        joined = Joined(plane, place.pool)
        conversation(joined)  # what is made once
        joined.end()
        await asyncio.sleep(0)
        joined = Joined(plane, place.pool)
        gc.collect()
        gc.disable()
        try:
            conversation(joined)
            await asyncio.sleep(0)
            assert gc.collect() == 0
        finally:
            gc.enable()
        joined.end()
        assert not plane.count("graphway_requests_in_flight")
