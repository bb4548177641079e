"""Idle connections whose peer has acted while our loop was busy: the loop has not read it yet, and
the next call must not go out on them.

The peer is a thread with blocking sockets, so that a test can stop the loop until it has acted.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from router.upstream import connection
from tests.kit.scripts import render
from tests.router.upstream.pooled import pool_to

NO_LINGER = struct.pack("ii", 1, 0)
DEADLINE_S = 10.0


def closes(peer: socket.socket) -> None:
    peer.close()


def resets(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    peer.close()


def answers_nothing(peer: socket.socket) -> None:
    """It answers what nobody asked: the next call must not take it for its own."""
    peer.sendall(render(b'"stray"'))


ACTS = (closes, resets, answers_nothing)


class Peer:
    """Answers one request on each of two connections; between them it acts when told to."""

    def __init__(self, act: Callable[[socket.socket], None]) -> None:
        self.requests: list[bytes] = []
        self._act = act
        self._told, self._acted = threading.Event(), threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def act(self) -> None:
        """Returns once it has acted: meanwhile the loop stands still."""
        self._told.set()
        assert self._acted.wait(DEADLINE_S)

    def run(self) -> None:
        with self._listening:
            first = self._accept()
            self._answer(first, b'"first"')
            self._told.wait(DEADLINE_S)
            self._act(first)
            self._acted.set()
            second = self._accept()
            self._answer(second, b'"second"')
            with first, second:
                second.recv(1)  # until the pool is closed

    def _accept(self) -> socket.socket:
        self._listening.settimeout(DEADLINE_S)
        peer, _ = self._listening.accept()
        peer.settimeout(DEADLINE_S)
        return peer

    def _answer(self, peer: socket.socket, body: bytes) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n{}"):
            request += peer.recv(65_536)
        self.requests.append(request)
        peer.sendall(render(body))


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[Peer]:
    thread = threading.Thread(target=peer.run)
    thread.start()
    try:
        yield peer
    finally:
        thread.join()


@pytest.mark.parametrize("act", ACTS)
async def test_a_call_goes_out_on_no_connection_that_its_peer_has_done_with(
    act: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PEEK_AFTER_S", 0.0)  # as if it had idled for longer
    with running(Peer(act)) as peer:
        async with pool_to(peer.origin) as pool:
            assert await pool.ask().reply() == b'"first"'
            peer.act()
            assert await pool.ask().reply() == b'"second"'
            assert pool.opened == 2
    assert len(peer.requests) == 2
