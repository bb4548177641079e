"""Listening sockets: bound once by the parent, inherited by every worker.

A worker that dies takes no queued connection with it: the queue belongs to the socket, and the
others go on accepting from it.
"""

import errno
import os
import socket
import ssl

# Connections that wait until a worker accepts them. The kernel caps it at net.core.somaxconn.
BACKLOG = 4096


class CannotListen(Exception):
    """The address cannot be had; the message says why and what to change."""


def bind(host: str, port: int, flag: str) -> list[socket.socket]:
    """Sockets that listen on each address of the host; port 0 picks one free port for all.

    `flag` is the option that chooses the port, for the message.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG
        )
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(
            f"cannot listen on {host!r}: {error}; give an address of this host"
        ) from error
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            listener = _listen(family, (address[0], port, *address[2:]))
            port = listener.getsockname()[1]
            sockets.append(listener)
    except OSError as error:
        for listener in sockets:
            listener.close()
        raise CannotListen(_explain(host, port, flag, error)) from error
    return sockets


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS of the gRPC port, from PEM files. Raises OSError or ValueError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    return context


def _listen(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `::` means every address, of both families, as for Go's servers; a single IPv6
            # address is itself only, whatever this says.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _explain(host: str, port: int, flag: str, error: OSError) -> str:
    what = f"cannot listen on {at(host, port)}: {os.strerror(error.errno or 0).lower()}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{what}; {flag} chooses another port, {flag} 0 a free one"
        case errno.EACCES:
            return f"{what}; ports below 1024 need a privilege, {flag} chooses another"
        case _:
            return f"{what}; give an address of this host"


def at(host: str, port: int) -> str:
    """host:port, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url(host: str, port: int) -> str:
    """How a client on this machine reaches what listens there."""
    return f"http://{reachable(host, port)}"


def reachable(host: str, port: int) -> str:
    """The same as host:port."""
    return at({"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host), port)
