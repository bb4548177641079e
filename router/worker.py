"""A worker process: one event loop, one data plane, nothing else.

Started fresh by the parent (never forked from it) with inherited file descriptors: the channel, the
block of counters, the listening sockets. It imports no admin server, YAML, command line or file
watcher: that is what keeps it small.
"""

import argparse
import asyncio
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable

import uvloop

from router import log
from router.channel import worker_end
from router.config import DataPlaneConfig
from router.conversation import Worker
from router.counters import Block, Counters
from router.data_plane import DataPlane
from router.descriptors import raised_limit, within

_PR_SET_PDEATHSIG = 1
# Requests make few cycles; the default of 700 would run the collector dozens of times a second.
_GC_THRESHOLD = 20_000
# While a thread compiles, each callback of the loop may wait so long for the interpreter's lock;
# with the default of 5 ms a busy worker would hardly serve. A thread that is alone pays nothing.
_SWITCH_INTERVAL_S = 0.0001


def main() -> None:
    parser = argparse.ArgumentParser(prog="router.worker")
    parser.add_argument("--channel-fd", type=int, required=True)
    parser.add_argument("--counters-fd", type=int, required=True)
    parser.add_argument("--listen-fd", type=int, nargs="+", required=True)
    parser.add_argument("--grpc", action="store_true", help="the sockets are for gRPC")
    parser.add_argument("--parent", type=int, required=True, help="process id")
    arguments = parser.parse_args()
    # Signals that reach a whole group (a terminal, systemd) are the parent's to act on.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _die_with(arguments.parent)
    gc.set_threshold(_GC_THRESHOLD, 20, 20)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    uvloop.run(
        _serve(arguments.channel_fd, arguments.counters_fd, arguments.listen_fd, arguments.grpc)
    )


async def _serve(channel_fd: int, counters_fd: int, listen_fds: list[int], grpc: bool) -> None:
    counters = Counters(Block(counters_fd))
    loop = asyncio.get_running_loop()
    descriptors = raised_limit()

    def make_plane(
        config: DataPlaneConfig,
        waiting: Callable[[str], None],
        explained: Callable[[bytes], None],
    ) -> DataPlane:
        log.configure(config.log.level, config.log.format)
        limited = within(descriptors, config)
        return DataPlane(limited, counters, loop, waiting, explained, grpc=grpc)

    channel = await worker_end(socket.socket(fileno=channel_fd))
    worker = Worker(channel, make_plane, [socket.socket(fileno=fd) for fd in listen_fds])
    await worker.run()
    if not worker.drained:
        os._exit(1)  # the parent is dead: nobody waits for an orderly end


def _die_with(parent: int) -> None:
    """The kernel kills us when the parent dies, even if our loop hangs (Linux only)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before this took effect
        os._exit(1)


if __name__ == "__main__":
    main()
