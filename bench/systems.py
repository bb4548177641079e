"""The systems side by side: nginx as the reference, the router as shipped, and a direct call
without any proxy.

Starts the predictors that all three share, then both proxies with the same number of workers on
the same cores.
"""

import contextlib
import getpass
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.cases import BODIES, Body, Shape, graph_path, manifests
from bench.machine import Cores, find_tool, free_port
from bench.process import Process, running

HERE = Path(__file__).parent
KILOBYTE = "x" * 1000


@dataclass(frozen=True)
class System:
    name: str
    port: Callable[[Body], int]
    path: Callable[[Shape, Body], str]
    process: Process | None  # none: a direct call

    def pids(self) -> list[int]:
        return self.process.tree() if self.process else []


@contextlib.contextmanager
def started(cores: Cores, workers: int) -> Iterator[list[System]]:
    """nginx, graphway and direct, in the order of a round, ready to be asked."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graphway-bench-")))
        folder.chmod(0o755)  # nginx gives its workers another user when it is started by root
        small, large, proxy, router = (free_port() for _ in range(4))
        values = {
            "SMALL_PORT": small,
            "LARGE_PORT": large,
            "PORT": proxy,
            "WORKERS": workers,
            "KILOBYTE": KILOBYTE,
        }

        def start(name: str, argv: list[str], on: frozenset[int], port: int, path: str) -> Process:
            ready = f"http://127.0.0.1:{port}{path}"
            return stack.enter_context(running(name, argv, on, ready))

        predictor = [sys.executable, "-m", "bench.predictor", str(large)]
        start("predictor (large)", predictor, cores.load, large, "/ready")
        backend = nginx(folder, "nginx-backend.conf", values)
        start("predictor (small)", backend, cores.load, small, "/50b")
        reference = start(
            "nginx", nginx(folder, "nginx-proxy.conf", values), cores.proxy, proxy, "/50b"
        )
        argv = _graphway(folder, router, workers, {b: large if b.large else small for b in BODIES})
        ours = start("graphway", argv, cores.proxy, router, "/readyz")

        yield [
            System("nginx", lambda _: proxy, lambda _, body: body.path, reference),
            System("graphway", lambda _: router, graph_path, ours),
            System(
                "direct",
                lambda body: large if body.large else small,
                lambda _, body: body.path,
                None,
            ),
        ]


def nginx(folder: Path, configuration: str, values: dict[str, object]) -> list[str]:
    text = (HERE / configuration).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    (folder / configuration).write_text(text)
    nginx = find_tool("nginx")
    assert nginx is not None
    user = ["-g", f"user {getpass.getuser()};"] if os.geteuid() == 0 else []
    return [nginx, "-p", f"{folder}/", "-c", configuration, *user]


def _graphway(folder: Path, port: int, workers: int, ports: dict[Body, int]) -> list[str]:
    """As shipped: metrics and access log on. Only where it listens, and how long it may take to
    end, are ours.
    """
    graphs = folder / "graphs.yaml"
    graphs.write_text(manifests({body: f"http://127.0.0.1:{at}" for body, at in ports.items()}))
    flags = {"--host": "127.0.0.1", "--port": str(port), "--admin-port": "0"}
    flags |= {"--workers": str(workers), "--grpc-workers": "0", "--drain-seconds": "0"}
    command = [sys.executable, "-c", "from cli.main import main; main()", "serve", str(graphs)]
    return [*command, *(part for flag in flags.items() for part in flag)]
