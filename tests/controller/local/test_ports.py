"""Free ports, and who has those that are not."""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from controller.local import ports
from controller.local.ports import Ports, stranger, taken


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def test_no_port_is_given_twice_until_it_is_given_back() -> None:
    here = Ports()
    given = [here.take() for _ in range(200)]
    assert len(set(given)) == 200
    assert all(ports.FIRST <= port <= ports.LAST for port in given)


def test_a_port_that_somebody_listens_on_is_not_given(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listener.getsockname()[1]
    monkeypatch.setattr(ports, "FIRST", port)
    monkeypatch.setattr(ports, "LAST", port)
    with pytest.raises(OSError, match="is taken"):
        Ports().take()
    listener.close()
    here = Ports(random.Random(1))
    assert here.take() == port
    with pytest.raises(OSError, match="is taken"):
        here.take()
    here.give_back([port])
    assert here.take() == port


def test_a_port_counts_as_taken_while_somebody_listens(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert taken(port)
    with socket.create_connection(("127.0.0.1", port)), listener.accept()[0]:
        pass
    listener.close()
    assert not taken(port)  # the connection that ended lately does not count


@pytest.fixture
def younger() -> Iterator[int]:
    """A process of a session of its own."""
    argv = (sys.executable, "-c", "input()")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield process.pid
        process.kill()


def test_an_older_process_that_listens_is_a_stranger(listener: socket.socket, younger: int) -> None:
    assert stranger(listener.getsockname()[1], younger) == os.getpid()


def test_one_of_the_session_is_none(listener: socket.socket) -> None:
    assert stranger(listener.getsockname()[1], os.getsid(0)) is None


def test_nobody_is_none(younger: int) -> None:
    assert stranger(1, younger) is None


def test_of_a_process_that_is_gone_nothing_is_said() -> None:
    assert stranger(1, 2**22 + 1) is None
