"""The reading end of a pipe that the loop watches: whatever comes is handed on until it ends.

Its descriptor has one owner, and is closed once. A transport of uvloop closes it beside the file
object that it was made of; where the making of one is cancelled, the object closes the number once
more when it is collected, and by then that is a descriptor of somebody else. (uvloop's issue 645:
mended there for sockets, not for pipes.)
"""

import asyncio
import os
from collections.abc import Callable

READ_BYTES = 65_536


class Pipe:
    def __init__(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        self.ended = asyncio.Event()  # nobody can write any more, or nobody reads
        self._descriptor = descriptor
        self._take = take
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._read)

    def close(self) -> None:
        """What has not been read is lost; again, nothing happens."""
        if not self.ended.is_set():
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self.ended.set()

    def _read(self) -> None:
        try:
            chunk = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return
        if chunk:
            self._take(chunk)
        else:
            self.close()
