"""Everything that carries requests in one worker, put together."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from random import Random, SystemRandom
from time import monotonic
from typing import TYPE_CHECKING

from graph.document import Document
from graph.packed import JSON_LENGTH
from graph.plan import Plan
from router import failures
from router.about import About
from router.access_log import AccessLog, as_json, as_text
from router.bridge import Bridge
from router.config import DataPlaneConfig, EndpointSource, GraphSource
from router.counters import Counters
from router.deadlines import Deadlines
from router.front.http import HttpFront
from router.inner import InnerGraphs
from router.messages import Handler, Head, Request
from router.plans import Plans
from router.series import IN_FLIGHT
from router.sockets import server_context
from router.stack import build
from router.upstream.http import HttpUpstream
from router.wire.refused import Refused

if TYPE_CHECKING:
    from router.front.grpc import GrpcFront

STDOUT = 1
SWEEP_S = 1.0


class DataPlane:
    def __init__(
        self,
        config: DataPlaneConfig,
        counters: Counters,
        loop: asyncio.AbstractEventLoop,
        waiting: Callable[[str], None] = lambda _: None,
        explained: Callable[[bytes], None] = lambda _: None,
        *,
        grpc: bool = False,
    ) -> None:
        """`waiting` is told of a service when calls to it begin to wait for a replica, `explained`
        gets the record of each request that asked for one. `grpc`: the sockets are those of the
        gRPC port.
        """
        self._loop = loop
        self._counters = counters
        self._ready = True
        self._deadlines = Deadlines(loop)
        self._plans = Plans(
            default=config.default_graph, compat=config.compat, port=config.data_port
        )
        self._inner = InnerGraphs(
            config.pass_response_headers, config.limits.body_bytes, self._deadlines, loop
        )
        self._upstream = HttpUpstream(config, counters, self._deadlines, loop, waiting)
        self._about = About(self._plans, self._upstream, loop.time)
        self._log = self._access_log(config)
        self._bridge = Bridge(
            self._upstream,
            self._upstream.endpoint,
            config.binary_tensors,
            config.limits.body_bytes,
            loop,
        )
        handler = build(
            config,
            self._plans,
            self._upstream,
            self._bridge,
            counters,
            self._deadlines,
            None if self._log is None else self._log.record,
            Random(SystemRandom().getrandbits(128)),
            lambda: self._ready,
            self._about,
            self._inner,
            explained,
        )
        self._front: HttpFront | GrpcFront
        if grpc:
            self._front = _grpc_front(handler, config, self._refused, loop)
        else:
            self._front = HttpFront(
                handler, config.limits, self._read_limit, self._refused, loop, self._streams
            )
        self._sweeping = loop.call_later(SWEEP_S, self._sweep)

    async def install(
        self, graphs: Sequence[GraphSource], endpoints: Mapping[str, EndpointSource]
    ) -> tuple[str, ...]:
        """Compile these graphs and serve them instead of the present ones; all or none. Problems in
        words.
        """
        # In a thread: thousands of nodes take a good part of a second, and requests go on.
        compiled = await asyncio.to_thread(self._plans.compiled, graphs)
        if not compiled.problems:
            self._plans.install(compiled, endpoints)
            self._about.install(endpoints)
            routes = self._plans.routes
            targets = (target for plan in routes.plans.values() for target in plan.targets)
            self._upstream.install(targets, endpoints, self._inner.places(routes.inner))
            self._bridge.install(routes.inner)
        return compiled.problems

    def listen(self, sockets: Sequence[socket.socket]) -> None:
        """Accept on these from now on; they stay the caller's."""
        self._front.listen(sockets)

    def set_ready(self, ready: bool) -> None:
        """What `/readyz` on the data port says. While we are unready, callers that hold connections
        are sent elsewhere answer by answer, so that the drain finds none of them in mid-request.
        """
        self._ready = ready
        self._front.leaving = not ready

    async def drain(self, limit_s: float) -> int:
        """Accept no more, let requests in flight end for up to `limit_s`, then cut off the rest;
        how many these were.
        """
        cut_off = 0
        self._front.drain()
        try:
            async with asyncio.timeout(limit_s):
                await self._front.drained.wait()
        except TimeoutError:
            cut_off = self._counters.total(IN_FLIGHT)
        self.close()
        return cut_off

    def close(self) -> None:
        self._sweeping.cancel()
        self._front.close()
        self._upstream.close()
        self._deadlines.close()
        if self._log is not None:
            self._log.close()

    def _sweep(self) -> None:
        self._counters.tick()
        self._front.sweep()
        self._upstream.sweep()
        self._sweeping = self._loop.call_later(SWEEP_S, self._sweep)

    def _read_limit(self, path: bytes, host: bytes) -> float | None:
        found = self._plans.routes.find(path, host)
        return found.timeouts.read_s if isinstance(found, Plan) else None

    def _streams(self, head: Head) -> bool:
        found = self._plans.routes.find(head.path, head.fields.get(b"host", b""))
        if isinstance(found, Plan):
            # What may have to be fitted to its target, or its answer to it, is needed whole.
            tensors = head.path.endswith(b"/infer") or JSON_LENGTH in head.fields
            return found.streams and not tensors and self._upstream.takes_streams(found.targets)
        return found is not None and self._upstream.takes_streams((found.target,))

    def _refused(self, fault: Refused, client: str) -> None:
        """A message that never became a request is counted and logged all the same."""
        labels = (("code", str(fault.status)), ("graph", ""))
        self._counters.values[self._counters.counter("graphway_requests_total", labels)] += 1
        if self._log is not None:
            request = Request(Head(b"", b"", b"", ()), Document(b""))
            request.client = client
            request.started = monotonic()
            answer = failures.error(fault.status, fault.cause)
            self._log.record(request, answer, fault.cause)

    def _access_log(self, config: DataPlaneConfig) -> AccessLog | None:
        if not config.log.access:
            return None
        render = as_json if config.log.format == "json" else as_text
        values = self._counters.values
        index = self._counters.counter("graphway_log_lines_dropped_total")

        def dropped() -> None:
            values[index] += 1

        return AccessLog(STDOUT, render, dropped, self._loop)


def _grpc_front(
    handler: Handler,
    config: DataPlaneConfig,
    refused: Callable[[Refused, str], None],
    loop: asyncio.AbstractEventLoop,
) -> "GrpcFront":
    # The others need neither this nor hpack, which is an extra.
    from router.front.grpc import GrpcFront  # noqa: PLC0415

    certificate, key = config.grpc.tls_cert, config.grpc.tls_key
    tls = server_context(certificate, key) if certificate and key else None
    return GrpcFront(handler, config.limits, refused, loop, tls)
