"""`python -m bench.grpc`: gRPC calls through the router, beside a proxy on grpcio's asyncio and a
direct call in the same run.

CPU of the proxy and latency of ModelInfer: small messages, 32 at a time and one by one, and
messages of 1 MB, two at a time. The systems take turns, so that a disturbance meets all of them.
`--quick` sends a fifth.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from bench.cases import NAMESPACE
from bench.grpc_ends import METHOD, OPTIONS
from bench.machine import CannotMeasure, cpu_seconds, free_port, require_tools, split_cores
from bench.process import Process, running
from graph.tensors.convert import Protocol, encode
from graph.tensors.model import Inference, Side, Tensor

BUDGET = 0.6  # of what the proxy on grpcio takes, small messages, 32 at a time
ROUNDS = 5
GRAPH = """\
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: echo, namespace: %s}
spec:
  nodes:
    root:
      routerType: Sequence
      steps: [{serviceUrl: "grpc://127.0.0.1:%d/echo"}]
"""


@dataclass(frozen=True)
class Case:
    name: str
    numbers: int  # of the tensor, FP32
    at_once: int
    calls: int


CASES = (
    Case("64 B, 32 at a time", 4, 32, 4000),
    Case("64 B, one by one", 4, 1, 1000),
    Case("1 MB, 2 at a time", 262_144, 2, 200),
)


@dataclass
class System:
    name: str
    port: int
    process: Process | None  # none: a direct call
    times: list[float] = field(default_factory=list)  # of the calls of a case
    cpu_s: float = 0.0

    def pids(self) -> list[int]:
        return self.process.tree() if self.process else []


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.grpc", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the calls")
    parser.add_argument("--check", action="store_true", help="exit 1 over the budget")
    chosen = parser.parse_args()
    try:
        require_tools()
        with started() as systems:
            over = asyncio.run(measure(systems, 5 if chosen.quick else 1))
    except CannotMeasure as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return int(over and chosen.check)


@contextlib.contextmanager
def started() -> Iterator[list[System]]:
    cores = split_cores(1)
    os.sched_setaffinity(0, cores.load)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graphway-bench-")))
        echo, proxy, front, http = (free_port() for _ in range(4))
        ends = [sys.executable, "-m", "bench.grpc_ends"]

        def start(name: str, argv: list[str], on: frozenset[int], ready: str = "") -> Process:
            return stack.enter_context(running(name, argv, on, ready))

        start("echo", [*ends, "echo", str(echo)], cores.load)
        argv = [*ends, "proxy", str(proxy), str(echo)]
        reference = start("grpcio", argv, cores.proxy)
        graphs = folder / "graph.yaml"
        graphs.write_text(GRAPH % (NAMESPACE, echo))
        serve = [sys.executable, "-c", "from cli.main import main; main()", "serve", str(graphs)]
        flags = ["--host", "127.0.0.1", "--port", str(http), "--admin-port", "0"]
        flags += ["--workers", "1", "--grpc-workers", "1", "--grpc-port", str(front)]
        argv = [*serve, *flags, "--drain-seconds", "0"]
        ours = start("graphway", argv, cores.proxy, f"http://127.0.0.1:{http}/readyz")
        yield [
            System("direct", echo, None),
            System("grpcio proxy", proxy, reference),
            System("graphway", front, ours),
        ]


async def measure(systems: list[System], divisor: int) -> bool:
    """Prints what was found; whether the budget was exceeded."""
    over = False
    for case in CASES:
        message = request(case.numbers)
        for system in systems:
            system.times, system.cpu_s = [], 0.0
        calls = max(case.at_once, case.calls // divisor // ROUNDS)
        for _ in range(ROUNDS):
            for system in systems:
                await load(system, message, case.at_once, calls)
        print(f"{case.name:22}{'CPU us':>10}{'p50 us':>10}{'p99 us':>10}")
        costs: dict[str, float] = {}
        for system in systems:
            cost = costs[system.name] = system.cpu_s * 1e6 / len(system.times)
            p50, p99 = (value * 1e6 for value in _percentiles(system.times))
            shown = f"{cost:>10,.0f}" if system.process else f"{'-':>10}"
            print(f"  {system.name:20}{shown}{p50:>10,.0f}{p99:>10,.0f}")
        ratio = costs["graphway"] / costs["grpcio proxy"]
        budget = f" (budget {BUDGET})" if case is CASES[0] else ""
        print(f"  {ratio:.2f} of the proxy on grpcio{budget}")
        over = over or (case is CASES[0] and ratio > BUDGET)
    return over


def request(numbers: int) -> bytes:
    raw = struct.pack(f"<{numbers}f", *range(numbers))
    inference = Inference([Tensor("x", "FP32", (1, numbers), {}, raw)], "echo")
    document, _ = encode(inference, Protocol.GRPC, Side.REQUEST)
    return document.body


async def load(system: System, message: bytes, at_once: int, calls: int) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{system.port}", options=OPTIONS) as channel:
        call = channel.unary_unary(METHOD)
        await call(message, wait_for_ready=True)
        left = iter(range(calls))

        async def caller() -> None:
            for _ in left:
                began = time.perf_counter()
                await call(message)
                system.times.append(time.perf_counter() - began)

        before = cpu_seconds(system.pids())
        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(caller())
        system.cpu_s += cpu_seconds(system.pids()) - before


def _percentiles(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


if __name__ == "__main__":
    sys.exit(main())
