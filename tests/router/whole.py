"""The whole stack over a scripted upstream, in one process and without a socket."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from graph.document import Document
from graph.effects import Answer, Headers
from router.about import About
from router.bridge import Bridge
from router.config import DataPlaneConfig, GraphSource
from router.counters import Block, Counters, Kind, Labels, Reader
from router.deadlines import Deadlines
from router.inner import InnerGraphs
from router.messages import Cancellable, Head, Request, Response
from router.plans import Plans
from router.stack import build
from router.upstream.script import Script, ScriptedUpstream, reply
from tests.scripts import Fields


def source(
    name: str, nodes: Mapping[str, Fields], namespace: str = "test", **spec: Any
) -> GraphSource:
    """A graph as the parent sends it."""
    manifest = {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodes": dict(nodes), **spec},
    }
    return GraphSource(f"{namespace}/{name}", json.dumps(manifest).encode())


class Whole:
    """Layers, plans and counters as a worker puts them together."""

    def __init__(
        self,
        *graphs: GraphSource,
        script: Script | Mapping[str, Answer | Sequence[Answer]] = lambda _: reply(),
        config: DataPlaneConfig | None = None,
        ready: bool = True,
        logging: bool = True,
        seed: int = 0,
    ) -> None:
        config = config or DataPlaneConfig()
        self.loop = asyncio.get_running_loop()
        self.upstream = ScriptedUpstream(script)
        self.logged: list[tuple[Request, Response]] = []
        self.explained: list[bytes] = []
        self._block = Block.create(1 << 20)
        counters = Counters(self._block)
        self.plans = Plans(default=config.default_graph, compat=config.compat)
        compiled = self.plans.compiled(graphs)
        assert compiled.problems == ()
        self.plans.install(compiled)
        self.handler = build(
            config,
            self.plans,
            self.upstream,
            Bridge(
                self.upstream,
                lambda _: None,
                config.binary_tensors,
                config.limits.body_bytes,
                self.loop,
            ),
            counters,
            Deadlines(self.loop),
            (lambda request, response: self.logged.append((request, response)))
            if logging
            else None,
            Random(seed),
            lambda: ready,
            About(self.plans, _Reaching(self.upstream, self.loop), self.loop.time),
            InnerGraphs((), 1 << 20, Deadlines(self.loop), self.loop),
            self.explained.append,
        )

    def send(
        self,
        path: bytes = b"/graphs/test/g",
        body: bytes = b"{}",
        headers: Headers = (),
        method: bytes = b"POST",
    ) -> "Sent":
        return Sent(self, Request(Head(method, path, b"", headers), Document(body)))

    def count(self, name: str, **labels: str) -> int:
        """The sum of all series of this name that have these labels; a histogram's observations."""
        reader = Reader(self._block)
        total = 0
        for series in reader.series():
            if series.name == name and labels.items() <= dict(series.labels).items():
                values = reader.values(series)
                total += sum(values[:-1] if series.kind is Kind.HISTOGRAM else values)
        return total

    def labels(self, name: str) -> set[Labels]:
        reader = Reader(self._block)
        return {tuple(sorted(series.labels)) for series in reader.series() if series.name == name}


class _Reaching:
    """The scripted upstream, with somebody at every address."""

    def __init__(self, upstream: ScriptedUpstream, loop: asyncio.AbstractEventLoop) -> None:
        self.start = upstream.start
        self._loop = loop

    def reach(self, address: str, limit_s: float, tell: Callable[[str], None]) -> None:
        self._loop.call_soon(tell, "")


class Sent:
    """One request on its way."""

    def __init__(self, whole: Whole, request: Request) -> None:
        self.request = request
        self.responses: list[Response] = []
        request.started = whole.loop.time()
        self.exchange: Cancellable = whole.handler(request, self.responses.append)

    @property
    def response(self) -> Response:
        (response,) = self.responses
        return response

    @property
    def json(self) -> Any:
        return json.loads(self.response.body)
