"""The Upstream over the network: finds who answers for a target and gives the call to a pool.

A URL is one place for ever; a service is what the endpoint table says of it now (`service.py`).
"""

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from graph.effects import Answer, Call, Failure, FailureKind
from graph.plan import Target
from router.circles import outgoing
from router.config import DataPlaneConfig, EndpointSource
from router.counters import Counters
from router.deadlines import Deadlines
from router.log import fields
from router.messages import Cancellable
from router.tasks import Tasks
from router.upstream.origin import Origin, parse_origin, parse_url
from router.upstream.pool import Pool, size_of, words
from router.upstream.reach import reach
from router.upstream.replica import Replica
from router.upstream.resolver import Resolver
from router.upstream.service import Service
from router.upstream.way import Way
from router.wire.render import forwarded_head, request_head, request_prefix

log = logging.getLogger("graphway.upstream")

# Headers of an answer that describe its body; they go with it to the caller or the next step.
DESCRIBING = frozenset({b"content-type", b"content-encoding", b"inference-header-content-length"})

# The front writes these itself, or they belong to one hop; a second one would break the framing of
# the answer, or leave its reader to choose.
OURS = frozenset(
    {
        *(b"connection", b"content-length", b"date", b"keep-alive", b"trailer"),
        *(b"transfer-encoding", b"upgrade", b"x-request-id"),
        *(b"x-graphway-revision", b"x-graphway-route"),
    }
)


class Asked(Protocol):
    """Who answers for a target."""

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable: ...


_NONE: Mapping[str, Asked] = {}

# A segment of a path that leads up, or to itself.
_CLIMBS = re.compile(rb"/(?:\.|%2[Ee]){1,2}(?:[/\\;]|%2[Ff]|%5[Cc]|$)")


class Place:
    """A URL, and the pool of its origin. A caller's own request goes below its path, and behind its
    query.
    """

    __slots__ = ("_authority", "_base", "_loop", "_prefix", "_query", "pool")

    def __init__(self, path: bytes, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        self._authority = pool.origin.authority.encode()
        self._prefix = request_prefix(b"POST", path, self._authority)
        base, _, self._query = path.partition(b"?")
        self._base = base.rstrip(b"/")
        self._loop = loop
        self.pool = pool

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        forward = call.forward
        size = len(call.body) if call.upload is None else size_of(call)
        if forward is None:
            head = request_head(self._prefix, call.headers, size)
        else:
            path, _, query = forward.path.partition(b"?")
            if self._base and _CLIMBS.search(path):
                cause = "the path holds . or .., which may lead out of the URL of the step"
                failure = Failure(FailureKind.BAD_REQUEST, cause, call.address)
                return self._loop.call_soon(deliver, failure)
            path = self._base + path or b"/"
            if self._query or query:
                path += b"?" + b"&".join([part for part in (self._query, query) if part])
            head = forwarded_head(forward.method, path, self._authority, call.headers, size)
        return self.pool.start(call, head, deliver)


class GrpcPlace:
    """A grpc URL: a pool, and the model that the path names."""

    __slots__ = ("_path", "pool")

    def __init__(self, path: bytes, pool: Way) -> None:
        self._path = path
        self.pool = pool

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        return self.pool.ask(call, self._path, deliver)


class OwnPlace(Place):
    """A port of our own."""

    __slots__ = ()

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        call.headers = outgoing(call.headers)
        return super().start(call, deliver)


class OwnGrpcPlace(GrpcPlace):
    __slots__ = ()

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        call.headers = outgoing(call.headers)
        return super().start(call, deliver)


class HttpUpstream:
    """`waiting` is told of a service whenever calls to it begin to wait for a replica."""

    def __init__(
        self,
        config: DataPlaneConfig,
        counters: Counters,
        deadlines: Deadlines,
        loop: asyncio.AbstractEventLoop,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._counters = counters
        self._deadlines = deadlines
        self._loop = loop
        self._waiting = waiting
        self._tasks = Tasks(loop)
        self._resolver = Resolver(loop, config.upstream.dns_refresh_s)
        self._tls: dict[bool, ssl.SSLContext] = {}  # for gRPC, or not
        further = {name.strip().lower().encode() for name in config.pass_response_headers}
        self._passed = DESCRIBING | further - OURS
        self._own_ports = {config.data_port, config.grpc_port} - {0}
        self._places: dict[str, Asked] = {}  # target name -> who answers
        self._services: dict[str, Service] = {}
        self._replicas: dict[str, Replica] = {}  # by address
        self._pools: dict[Origin, Way] = {}
        self._retired: list[Way] = []
        if config.upstream.ca_file is not None:
            self._tls_context()  # a bad file is found now, not at the first call

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        place = self._places.get(call.target.name)
        if place is None:
            try:
                place = self._places[call.target.name] = self._place(call.target)
            except ValueError as error:
                failure = Failure(FailureKind.UNRESOLVED, str(error), call.address)
                return self._loop.call_soon(deliver, failure)
        if call.timeout_s is None:
            call.timeout_s = self._config.upstream.call_timeout_s
        return place.start(call, deliver)

    def endpoint(self, name: str) -> EndpointSource | None:
        """What the endpoint table says of a target that is a service."""
        service = self._services.get(name.removeprefix("service:"))
        return None if service is None else service.source

    def reach(self, address: str, limit_s: float, tell: Callable[[str], None]) -> None:
        """See whether somebody takes connections there: later, nothing, or why nobody does."""
        self._tasks.spawn(self._reach(address, limit_s, tell), f"reach {address}")

    async def _reach(self, address: str, limit_s: float, tell: Callable[[str], None]) -> None:
        try:
            origin = parse_origin(address)
            tls = self._tls_context(origin.grpc) if origin.tls else None
            async with asyncio.timeout(limit_s):
                await reach(origin, self._resolver, tls, self._loop)
        except TimeoutError:
            tell(f"{address}: no connection within {limit_s:g} s")
        except (OSError, ValueError) as error:
            tell(f"{address}: {words(error)}")
        else:
            tell("")

    def install(
        self,
        targets: Iterable[Target],
        services: Mapping[str, EndpointSource],
        inner: "Mapping[str, Asked]" = _NONE,
    ) -> None:
        """The targets that plans use from now on, and where services live. Others retire. `inner`:
        those that are no place of the network, by their names.
        """
        gone = [self._services.pop(key) for key in self._services.keys() - services.keys()]
        for service in gone:
            service.forget()
        self._find_replicas(services)
        for key, source in services.items():
            known = self._services.get(key)
            if known is None:
                self._services[key] = self._service(key, source)
            elif known.source != source:
                known.update(source, self._replicas)
        urls = {target.name for target in targets if target.url is not None}
        kept: dict[str, Asked] = {
            k: p for k, p in self._places.items() if k in urls and k not in inner
        }
        self._places = kept
        wanted = {p.pool.origin for p in kept.values() if isinstance(p, Place | GrpcPlace)}
        kept.update(inner)
        kept.update({f"service:{key}": service for key, service in self._services.items()})
        wanted.update(replica.origin for replica in self._replicas.values())
        for origin in [origin for origin in self._pools if origin not in wanted]:
            pool = self._pools.pop(origin)
            pool.retire()
            self._retired.append(pool)
        for service in (*gone, *self._services.values()):
            service.release()

    def takes_streams(self, targets: Iterable[Target]) -> bool:
        """Whether each of them could be sent a body that is still on its way."""
        return not any(self._speaks_grpc(target) for target in targets)

    def _speaks_grpc(self, target: Target) -> bool:
        if target.url is not None:
            return target.url.startswith("grpc")
        service = self._services.get(target.name.removeprefix("service:"))
        return service is not None and any(each.origin.grpc for each in service.replicas)

    def sweep(self) -> None:
        """Once a second."""
        now = self._loop.time()
        for pool in [*self._pools.values(), *self._retired]:
            pool.sweep(now)
        self._retired = [pool for pool in self._retired if not pool.empty]
        for replica in self._replicas.values():
            replica.refuses = False
        for service in list(self._services.values()):
            service.release()  # what was refused tries again

    def close(self) -> None:
        self._tasks.close()
        for pool in [*self._pools.values(), *self._retired]:
            pool.close()

    def _find_replicas(self, services: Mapping[str, EndpointSource]) -> None:
        """One for each address, the same as before where there was one."""
        before, self._replicas = self._replicas, {}
        for key, source in services.items():
            for revision in source.revisions:
                for address in revision.addresses:
                    if address in self._replicas:
                        continue
                    try:
                        self._replicas[address] = before.get(address) or Replica(
                            parse_origin(address), self._way, self._counters
                        )
                    except ValueError as error:
                        log.error("an address cannot be used: %s", error, extra=fields(service=key))

    def _service(self, key: str, source: EndpointSource) -> Service:
        return Service(
            key,
            self._config.upstream,
            self._counters,
            self._deadlines,
            self._loop,
            partial(self._waiting, key),
            source,
            self._replicas,
        )

    def _place(self, target: Target) -> Place | GrpcPlace:
        """Raises ValueError with words for the caller if there is nowhere to go."""
        if target.url is None:
            raise ValueError(f"service {target.name.removeprefix('service:')} is not known here")
        origin, path = parse_url(target.url)
        own = origin.port in self._own_ports
        if origin.grpc:
            return (OwnGrpcPlace if own else GrpcPlace)(path, self._way(origin))
        return (OwnPlace if own else Place)(path, self._pool(origin), self._loop)

    def _way(self, origin: Origin) -> Way:
        return self._grpc_pool(origin) if origin.grpc else self._pool(origin)

    def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(*self._parts(origin))
        assert isinstance(pool, Pool)
        return pool

    def _grpc_pool(self, origin: Origin) -> Way:
        pool = self._pools.get(origin)
        if pool is None:
            # Only where it is needed: most workers never call gRPC, and hpack is an extra.
            from router.upstream.grpc_pool import GrpcPool  # noqa: PLC0415

            pool = self._pools[origin] = GrpcPool(*self._parts(origin))
        return pool

    def _parts(self, origin: Origin) -> tuple[Any, ...]:
        """What a pool of either kind is made of."""
        labels = (("target", str(origin)),)
        return (
            origin,
            self._config.upstream,
            self._config.limits,
            self._passed,
            self._resolver,
            self._tls_context(origin.grpc) if origin.tls else None,
            self._tasks,
            self._deadlines,
            self._loop,
            self._counter("graphway_upstream_connections_opened_total", labels),
            self._counter("graphway_upstream_connections_reused_total", labels),
        )

    def _counter(self, name: str, labels: tuple[tuple[str, str], ...]) -> Callable[[], None]:
        index, values = self._counters.counter(name, labels), self._counters.values

        def count() -> None:
            values[index] += 1

        return count

    def _tls_context(self, grpc: bool = False) -> ssl.SSLContext:
        context = self._tls.get(grpc)
        if context is None:
            upstream = self._config.upstream
            context = self._tls[grpc] = ssl.create_default_context()
            if upstream.ca_file is not None:
                # beside the system's, so that both kinds of targets work
                context.load_verify_locations(cafile=upstream.ca_file)
            if not upstream.verify_tls:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if grpc:
                context.set_alpn_protocols(["h2"])
        return context
