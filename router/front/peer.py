"""What a client's socket tells and takes beside its bytes."""

import socket
import struct

_RESET = struct.pack("ii", 1, 0)
_TCP_INFO = getattr(socket, "TCP_INFO", None)
_CLOSED, _CLOSE_WAIT = 7, 8  # the first byte of Linux' struct tcp_info


def has_left(sock: socket.socket) -> bool:
    """Whether the peer has closed, as far as it can be known without reading what came before."""
    return _state(sock) in {_CLOSED, _CLOSE_WAIT}


def is_gone(sock: socket.socket) -> bool:
    """Whether nobody is there to be written to, either: the connection was reset."""
    return _state(sock) == _CLOSED


def _state(sock: socket.socket) -> int:
    if _TCP_INFO is None:  # no Linux: it is found out when reading goes on
        return 0
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 1)[0]
    except OSError:
        return 0  # no TCP


def reset_at_close(sock: socket.socket) -> None:
    """Closing it is then an error to the peer, and no end of what was sent."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
