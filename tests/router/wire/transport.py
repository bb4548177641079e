"""A transport without a socket: what a protocol did with it, and a buffer that a test fills.

Strict where real ones are forgiving: a write after the end was written is a fault.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self.aborted = False
        self.ended = False  # write_eof was called
        self.reading = True
        self.unwritten = 0  # what the write buffer is said to hold
        self.on_write: Callable[[bytes], None] | None = None

    @property
    def state(self) -> str:
        if self.aborted:
            return "aborted"
        if self.closed:
            return "closed"
        return "ended" if self.ended else "open"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1234) if name == "peername" else default

    def write(self, data: Any) -> None:
        assert not self.ended, "written after the end"
        if not self.is_closing():
            self.written += data
            if self.on_write is not None:
                self.on_write(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        assert not self.is_closing()
        self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return self.unwritten

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass  # tests speak to the one that they made

    def pause_reading(self) -> None:
        assert self.reading, "paused twice"
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading, "resumed twice"
        self.reading = True
