"""Binding: on free ports, on both families, with words that help when an address cannot be had."""

import socket

import pytest

from router.sockets import CannotListen, bind, url


def test_port_0_is_a_free_port_that_accepts() -> None:
    (listener,) = bind("127.0.0.1", 0, "--port")
    with listener, socket.create_connection(listener.getsockname()):
        assert listener.getsockname()[1] > 0


def test_a_taken_port_is_said_with_the_way_out() -> None:
    (listener,) = bind("127.0.0.1", 0, "--port")
    port = listener.getsockname()[1]
    with listener, pytest.raises(CannotListen, match=f"127.0.0.1:{port}.*in use; --port") as raised:
        bind("127.0.0.1", port, "--port")
    assert "Traceback" not in str(raised.value)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("no.such.host.invalid", id="unknown name"),
        pytest.param("203.0.113.7", id="address of somebody else"),
        pytest.param("a" * 300, id="no name at all"),
    ],
)
def test_a_host_that_is_not_ours(host: str) -> None:
    with pytest.raises(CannotListen, match="cannot listen on"):
        bind(host, 0, "--port")


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        pytest.param("0.0.0.0", "http://127.0.0.1:80", id="all IPv4 addresses"),
        pytest.param("::", "http://[::1]:80", id="all addresses"),
        pytest.param("::1", "http://[::1]:80", id="an IPv6 address gets brackets"),
        pytest.param("localhost", "http://localhost:80", id="a name"),
    ],
)
def test_the_url_that_reaches_it(host: str, seen: str) -> None:
    assert url(host, 80) == seen
