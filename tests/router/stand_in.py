"""A worker process with a data plane that does next to nothing, for tests of those who run it.

It answers every connection with one line (`ready`, process id, graphs) and closes it. What goes
wrong is scripted by GRAPHWAY_STAND_IN: `dies` before it serves, `refuses:TEXT` manifests that hold
TEXT, `lingers` for as long as a drain may take, `hangs` when it should end.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

from router.channel import worker_end
from router.config import DataPlaneConfig, EndpointSource, GraphSource
from router.conversation import Worker
from router.counters import Block, Counters

SCRIPT = os.environ.get("GRAPHWAY_STAND_IN", "")


class Plane:
    def __init__(self, config: DataPlaneConfig, counters: Counters) -> None:
        self.config = config
        self.counters = counters
        self.graphs: Sequence[GraphSource] = ()
        self.endpoints: Mapping[str, EndpointSource] = {}
        self.ready = True
        self.servers: list[asyncio.Task[asyncio.Server]] = []

    async def install(
        self, graphs: Sequence[GraphSource], endpoints: Mapping[str, EndpointSource]
    ) -> tuple[str, ...]:
        if SCRIPT.startswith("refuses:"):
            word = SCRIPT.partition(":")[2].encode()
            if bad := [graph.key for graph in graphs if word in graph.manifest]:
                return tuple(f"{key}: holds {word.decode()}" for key in bad)
        self.graphs, self.endpoints = graphs, endpoints
        return ()

    def listen(self, sockets: Sequence[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        self.servers = [
            loop.create_task(asyncio.start_server(self.answer, sock=sock)) for sock in sockets
        ]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = self.counters.counter("graphway_requests_total", (("graph", ""), ("code", "200")))
        self.counters.values[index] += 1
        words = ["ready" if self.ready else "unready", str(os.getpid())]
        words += [f"{graph.key}={graph.manifest.decode()}" for graph in self.graphs]
        words += [f"{name}->{source.addresses[0]}" for name, source in self.endpoints.items()]
        writer.write(" ".join(words).encode())
        await writer.drain()
        writer.close()

    def set_ready(self, ready: bool) -> None:
        self.ready = ready

    async def drain(self, limit_s: float) -> int:
        for server in self.servers:
            (await server).close()
        if SCRIPT == "lingers":
            await asyncio.sleep(limit_s)
        if SCRIPT == "hangs":
            await asyncio.Event().wait()
        return 0

    def close(self) -> None:
        pass


async def serve(arguments: argparse.Namespace) -> None:
    counters = Counters(Block(arguments.counters_fd))
    channel = await worker_end(socket.socket(fileno=arguments.channel_fd))
    sockets = [socket.socket(fileno=fd) for fd in arguments.listen_fd]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tick(counters))
        await Worker(channel, lambda config, *_: Plane(config, counters), sockets).run()
        os._exit(0)


async def tick(counters: Counters) -> None:
    while True:
        counters.tick()
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if SCRIPT == "dies":
        sys.exit(3)
    parser = argparse.ArgumentParser()
    for name in ("--channel-fd", "--counters-fd", "--parent"):
        parser.add_argument(name, type=int)
    parser.add_argument("--listen-fd", type=int, nargs="+")
    asyncio.run(serve(parser.parse_args()))
