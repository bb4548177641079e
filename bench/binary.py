"""`python -m bench.binary`: V2 inference with a binary tensor of 1 MB through the router, beside a
direct call in the same run, and the same tensor as JSON.

One call after another, the systems in turn. The predictor knows the binary extension and answers
with a tensor as large in the form in which it was asked. `--quick` sends a fifth.
"""

import argparse
import asyncio
import contextlib
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench.cases import NAMESPACE
from bench.grpc import request
from bench.machine import CannotMeasure, cpu_seconds, free_port, require_tools, split_cores
from bench.process import Process, running
from graph.tensors.convert import Protocol, decode, encode
from graph.tensors.message import Message
from graph.tensors.model import Side

NUMBERS = 262_144  # FP32: 1 MiB raw
CALLS = 100
PATH = "/v2/models/echo/infer"
_SERVER = b'{"name":"bench","version":"1","extensions":["binary_tensor_data"]}'
KNOWS = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_SERVER),
    _SERVER,
)
GRAPH = """\
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: echo, namespace: %s}
spec:
  nodes:
    root:
      routerType: Sequence
      steps: [{serviceUrl: "http://127.0.0.1:%d%s"}]
"""
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    name: str
    asks: bytes  # headers and body of a request, without its first lines
    answers: bytes  # a whole answer


@dataclass
class System:
    name: str
    port: int
    path: str
    process: Process | None  # none: a direct call
    times: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def pids(self) -> list[int]:
        return self.process.tree() if self.process else []


def forms() -> list[Form]:
    """The tensor in binary form and as JSON, as a request and as an answer."""
    given = decode(Message(request(NUMBERS), Side.REQUEST), Protocol.GRPC, Side.REQUEST)

    def said(side: Side, binary: bool) -> bytes:
        document, headers = encode(given, Protocol.V2, side, in_binary=lambda _: binary)
        described = b"".join([b"%b: %b\r\n" % pair for pair in headers])
        length = len(document.body)
        return b"%bcontent-length: %d\r\n\r\n%b" % (described, length, document.body)

    return [
        Form(name, said(Side.REQUEST, binary), b"HTTP/1.1 200 OK\r\n" + said(Side.ANSWER, binary))
        for name, binary in (("binary", True), ("JSON", False))
    ]


class Predictor(asyncio.Protocol):
    """Answers with the tensor in the form of the request."""

    def __init__(self, answers: dict[bool, bytes]) -> None:
        self._answers = answers
        self._unread = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (size := whole(self._unread)) is not None:
            head = bytes(self._unread[: self._unread.find(b"\r\n\r\n")]).lower()
            del self._unread[:size]
            if head.startswith(b"get"):
                self._transport.write(KNOWS)
            else:
                self._transport.write(self._answers[b"inference-header-content-length" in head])


def whole(data: bytearray) -> int | None:
    """Bytes of the first message, if all of it is there."""
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    told = _LENGTH.search(data, 0, end)
    size = end + (int(told[1]) if told else 0)
    return size if len(data) >= size else None


async def predict(port: int) -> None:
    answers = {form.name == "binary": form.answers for form in forms()}
    server = await asyncio.get_running_loop().create_server(
        lambda: Predictor(answers), "127.0.0.1", port
    )
    await server.serve_forever()


class Caller(asyncio.Protocol):
    """Sends a request and waits for the whole answer."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._answered: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if self._answered is not None and (size := whole(self._unread)) is not None:
            answer = bytes(self._unread[:size])
            del self._unread[:size]
            self._answered.set_result(answer)

    async def ask(self, path: str, asks: bytes) -> bytes:
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(b"POST %b HTTP/1.1\r\nhost: b\r\n%b" % (path.encode(), asks))
        return await self._answered


async def measure(systems: list[System], calls: int) -> None:
    loop = asyncio.get_running_loop()
    callers = [
        (await loop.create_connection(Caller, "127.0.0.1", system.port))[1] for system in systems
    ]
    for form in forms():
        for system in systems:
            system.times, system.cpu_s = [], 0.0
        for _ in range(calls):
            for system, caller in zip(systems, callers, strict=True):
                before, began = cpu_seconds(system.pids()), time.perf_counter()
                answer = await caller.ask(system.path, form.asks)
                system.times.append(time.perf_counter() - began)
                system.cpu_s += cpu_seconds(system.pids()) - before
                body = form.answers.partition(b"\r\n\r\n")[2]
                if not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(body):
                    raise CannotMeasure(f"{system.name} answers {answer[:200]!r}")
        print(f"{form.name:10}{len(form.asks):>10,} bytes{'CPU us':>12}{'p50 us':>10}")
        for system in systems:
            cost = f"{system.cpu_s * 1e6 / calls:,.0f}" if system.process else "-"
            median = statistics.median(system.times) * 1e6
            print(f"  {system.name:24}{cost:>12}{median:>10,.0f}")


@contextlib.contextmanager
def started() -> Iterator[list[System]]:
    cores = split_cores(1)
    os.sched_setaffinity(0, cores.load)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graphway-bench-")))
        predictor, router = free_port(), free_port()

        def start(name: str, argv: list[str], on: frozenset[int], ready: str) -> Process:
            return stack.enter_context(running(name, argv, on, f"http://127.0.0.1:{ready}"))

        argv = [sys.executable, "-m", "bench.binary", "--predictor", str(predictor)]
        start("predictor", argv, cores.load, f"{predictor}{PATH}")
        graphs = folder / "graph.yaml"
        graphs.write_text(GRAPH % (NAMESPACE, predictor, PATH))
        serve = [sys.executable, "-c", "from cli.main import main; main()", "serve", str(graphs)]
        flags = ["--host", "127.0.0.1", "--port", str(router), "--admin-port", "0"]
        flags += ["--workers", "1", "--grpc-workers", "0", "--drain-seconds", "0"]
        ours = start("graphway", [*serve, *flags], cores.proxy, f"{router}/readyz")
        yield [System("direct", predictor, PATH, None), System("graphway", router, PATH, ours)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.binary", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the calls")
    parser.add_argument("--check", action="store_true", help="nothing here has a budget")
    parser.add_argument("--predictor", type=int, metavar="PORT", help="only the predictor")
    chosen = parser.parse_args()
    if chosen.predictor:
        uvloop.run(predict(chosen.predictor))
    try:
        require_tools()
        with started() as systems:
            uvloop.run(measure(systems, CALLS // 5 if chosen.quick else CALLS))
    except CannotMeasure as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
