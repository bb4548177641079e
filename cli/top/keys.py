"""Keys of a terminal, one at a time, without Enter and without showing them."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

QUIT, LEFT, RIGHT, UP, DOWN, PAGE_UP, PAGE_DOWN, REVERSE = (
    *("quit", "left", "right", "up", "down", "page up", "page down", "reverse"),
)
_KEYS = {
    b"q": QUIT,
    b"Q": QUIT,
    b"\x03": QUIT,
    b"\x04": QUIT,
    b"\x1b[D": LEFT,
    b"\x1bOD": LEFT,
    b"\x1b[C": RIGHT,
    b"\x1bOC": RIGHT,
    b"\x1b[A": UP,
    b"\x1bOA": UP,
    b"\x1b[B": DOWN,
    b"\x1bOB": DOWN,
    b"\x1b[5~": PAGE_UP,
    b"\x1b[6~": PAGE_DOWN,
    b"<": LEFT,
    b">": RIGHT,
    b"s": RIGHT,
    b"S": LEFT,
    b"k": UP,
    b"j": DOWN,
    b" ": PAGE_DOWN,
    b"b": PAGE_UP,
    b"r": REVERSE,
}


class Keys:
    """`fd` is None where there is no terminal to type on."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd

    def pressed(self, wait_s: float) -> list[str]:
        """What has been pressed, after `wait_s` at most."""
        ready, _, _ = select.select([self._fd] if self._fd is not None else [], [], [], wait_s)
        if not ready or self._fd is None:
            return []
        typed = os.read(self._fd, 1024)
        if not typed:  # the terminal has gone
            return [QUIT]
        return meant(typed)


def meant(typed: bytes) -> list[str]:
    """What is no key of ours is passed over."""
    found: list[str] = []
    while typed:
        code = next((c for c in sorted(_KEYS, key=len, reverse=True) if typed.startswith(c)), None)
        if code is None and typed.startswith(b"\x1b"):
            return found  # a sequence that we do not know, of unknown length
        if code is not None:
            found.append(_KEYS[code])
        typed = typed[len(code or b"x") :]
    return found


@contextmanager
def keys() -> Iterator[Keys]:
    if not sys.stdin.isatty():
        yield Keys(None)
        return
    import termios  # noqa: PLC0415 - not everywhere
    import tty  # noqa: PLC0415

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield Keys(fd)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
