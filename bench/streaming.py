"""`python -m bench.streaming`: answers that stream, beside nginx and a direct call in the same run.

Four figures: the time to the first byte (one connection, the systems in turn, so that what is added
is the difference of neighbours), events a second and CPU of each, the memory of a worker that has
500 slow streams, and the memory while 1 GB passes. `--quick` asks for fewer of everything.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.cases import NAMESPACE
from bench.machine import (
    CannotMeasure,
    cpu_seconds,
    free_port,
    pss_bytes,
    require_tools,
    split_cores,
)
from bench.process import Process, running
from bench.streaming_source import BYTES, CHUNK, EVENT, EVENTS
from bench.systems import nginx

PATHS = ("/events", "/first", "/slow", "/bytes")
STREAMS = 500
SLOW_BUDGET_BYTES = 150 * 1024 * 1024  # a worker with so many slow streams
FIRST_BUDGET_S = 0.001  # added to the time to the first byte, at the median
MEBIBYTE = 1024 * 1024
_LENGTH = re.compile(rb"content-length: ([0-9]+)\r\n(?:[^\r\n]+\r\n)*\r\n")


@dataclass(frozen=True)
class System:
    name: str
    port: int
    prefix: str  # of the path
    process: Process | None

    def pids(self) -> list[int]:
        return self.process.tree() if self.process else []


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.streaming", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests, no 1 GB")
    parser.add_argument("--check", action="store_true", help="exit 1 over a budget")
    chosen = parser.parse_args()
    try:
        require_tools()
        with started() as systems:
            over = uvloop.run(measure(systems, chosen.quick))
    except CannotMeasure as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return int(over and chosen.check)


@contextlib.contextmanager
def started() -> Iterator[list[System]]:
    """Direct, nginx and graphway, one worker each on the same core."""
    cores = split_cores(1)
    os.sched_setaffinity(0, cores.load)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graphway-bench-")))
        folder.chmod(0o755)
        source, proxy, router = (free_port() for _ in range(3))

        def start(name: str, argv: list[str], on: frozenset[int], ready: str) -> Process:
            return stack.enter_context(running(name, argv, on, f"http://127.0.0.1:{ready}"))

        argv = [sys.executable, "-m", "bench.streaming_source", str(source)]
        start("source", argv, cores.load, f"{source}/ready")
        values = {"SOURCE_PORT": source, "PORT": proxy, "WORKERS": 1}
        argv = nginx(folder, "nginx-streaming.conf", values)
        reference = start("nginx", argv, cores.proxy, f"{proxy}/ready")
        graphs = folder / "graphs.yaml"
        graphs.write_text("".join(_graph(path, source) for path in PATHS))
        serve = [sys.executable, "-c", "from cli.main import main; main()", "serve", str(graphs)]
        flags = ["--host", "127.0.0.1", "--port", str(router), "--admin-port", "0"]
        flags += ["--workers", "1", "--grpc-workers", "0", "--drain-seconds", "0"]
        ours = start("graphway", [*serve, *flags], cores.proxy, f"{router}/readyz")
        yield [
            System("direct", source, "", None),
            System("nginx", proxy, "", reference),
            System("graphway", router, f"/graphs/{NAMESPACE}", ours),
        ]


def _graph(path: str, port: int) -> str:
    step = {"serviceUrl": f"http://127.0.0.1:{port}{path}"}
    document: dict[str, Any] = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": path[1:], "namespace": NAMESPACE},
        "spec": {"nodes": {"root": {"routerType": "Sequence", "steps": [step]}}},
    }
    return f"---\n{json.dumps(document)}\n"


async def measure(systems: list[System], quick: bool) -> bool:
    """Prints what was found; whether a budget was exceeded."""
    direct, _, graphway = systems
    times = await first_bytes(systems, 300 if quick else 2000)
    added = {
        system.name: statistics.median(
            ours - theirs for ours, theirs in zip(times[system.name], times["direct"], strict=True)
        )
        for system in systems
    }
    print("time to the first byte, median us (added to a direct call)")
    for system in systems:
        median = statistics.median(times[system.name])
        print(f"  {system.name:10}{median * 1e6:>8.0f}{added[system.name] * 1e6:>8.0f}")
    print("events a second, 8 connections, and CPU us of the proxy an event")
    for system in systems:
        rate, cpu_us = await events(system, 1 if quick else 3)
        print(f"  {system.name:10}{rate:>10,.0f}{cpu_us:>8.2f}")
    idle = worker_bytes(graphway)
    streams = await slow(graphway, STREAMS, 2.0)
    print(
        f"PSS of a worker: {idle / MEBIBYTE:.1f} MiB at rest, "
        f"{streams / MEBIBYTE:.1f} MiB with {STREAMS} slow streams"
    )
    if not quick:
        for system in (direct, graphway):
            most, took_s = await large(system)
            print(
                f"1 GB, {system.name}: {BYTES / took_s / 1e6:,.0f} MB/s, "
                f"{most / MEBIBYTE:.1f} MiB of PSS at most"
            )
    over = added["graphway"] > FIRST_BUDGET_S or streams > SLOW_BUDGET_BYTES
    print("over the budget" if over else "within the budgets: 1 ms, 150 MiB")
    return over


class Reader(asyncio.Protocol):
    """Counts bytes and notes the first; the answer is over when so many have come, or its end."""

    def __init__(self) -> None:
        self.sent_at = self.first_at = 0.0
        self.size = 0
        self.wanted = 0
        self.over: asyncio.Future[None] | None = None

    @classmethod
    async def to(cls, system: System) -> "Reader":
        loop = asyncio.get_running_loop()
        _, reader = await loop.create_connection(cls, "127.0.0.1", system.port)
        return reader

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.over is not None and not self.over.done():
            self.over.set_exception(CannotMeasure("the connection broke"))

    def ask(self, system: System, path: str, wanted: int = 0) -> "asyncio.Future[None]":
        """`wanted`: bytes of the body; 0: until the last chunk."""
        self.over = asyncio.get_running_loop().create_future()
        self.size, self.wanted, self.first_at = 0, wanted, 0.0
        self.sent_at = time.perf_counter()
        self.transport.write(
            b"POST %b HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}"
            % (system.prefix + path).encode()
        )
        return self.over

    def data_received(self, data: bytes) -> None:
        if not self.first_at:
            self.first_at = time.perf_counter()
            if not self.wanted and (told := _LENGTH.search(data)):
                self.wanted = told.end() + int(told[1])  # it came at once, and was no stream
        self.size += len(data)
        done = self.size >= self.wanted if self.wanted else data.endswith(b"0\r\n\r\n")
        if done and self.over is not None and not self.over.done():
            self.over.set_result(None)


async def first_bytes(systems: list[System], count: int) -> dict[str, list[float]]:
    readers = [(system, await Reader.to(system)) for system in systems]
    times: dict[str, list[float]] = {system.name: [] for system in systems}
    for _ in range(count):
        for system, reader in readers:
            await reader.ask(system, "/first")
            times[system.name].append(reader.first_at - reader.sent_at)
    for _, reader in readers:
        reader.transport.abort()
    return times


async def events(system: System, rounds: int) -> tuple[float, float]:
    readers = [await Reader.to(system) for _ in range(8)]
    pids = system.pids()
    before, began = cpu_seconds(pids), time.perf_counter()
    for _ in range(rounds):
        await asyncio.wait([reader.ask(system, "/events") for reader in readers])
    count = len(readers) * rounds * EVENTS
    spent, took_s = cpu_seconds(pids) - before, time.perf_counter() - began
    for reader in readers:
        if reader.size < EVENTS * len(EVENT):
            raise CannotMeasure(f"{system.name}: {reader.size} bytes of events came")
        reader.transport.abort()
    return count / took_s, spent * 1e6 / count


async def slow(system: System, count: int, seconds: float) -> int:
    """The most memory of its worker while so many streams run."""
    readers = [await Reader.to(system) for _ in range(count)]
    for reader in readers:
        reader.ask(system, "/slow")
    most = await most_memory(system, asyncio.sleep(seconds))
    if any(reader.size < len(CHUNK) for reader in readers):
        raise CannotMeasure("a slow stream did not begin")
    for reader in readers:
        reader.over = None
        reader.transport.abort()
    return most


async def large(system: System) -> tuple[int, float]:
    reader = await Reader.to(system)
    began = time.perf_counter()
    most = await most_memory(system, reader.ask(system, "/bytes", BYTES))
    took_s = time.perf_counter() - began
    reader.transport.abort()
    return most, took_s


async def most_memory(system: System, until: Awaitable[None]) -> int:
    most = 0
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_done(until))
        while not waiting.done():
            most = max(most, worker_bytes(system))
            await asyncio.wait([waiting], timeout=0.2)
    return most


async def _done(until: Awaitable[None]) -> None:
    await until


def worker_bytes(system: System) -> int:
    """Of the largest process below the parent."""
    return max((pss_bytes(pid) for pid in system.pids()[1:]), default=0)


if __name__ == "__main__":
    sys.exit(main())
