"""The Upstream over HTTP/1.1: finds who answers for a target and gives the call to a pool."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping

from graph.effects import Answer, Call, Failure, FailureKind
from graph.plan import Target
from router.config import DataPlaneConfig, EndpointSource
from router.counters import Counters
from router.deadlines import Deadlines
from router.messages import Cancellable
from router.tasks import Tasks
from router.upstream.origin import Origin, parse_origin, parse_url
from router.upstream.pool import Pool
from router.upstream.resolver import Resolver
from router.wire.render import request_head

# Headers of an answer that describe its body; they go with it to the caller or the next step.
DESCRIBING = frozenset({b"content-type", b"content-encoding", b"inference-header-content-length"})

# The front writes these itself, or they belong to one hop; a second one would break the framing of
# the answer, or leave its reader to choose.
OURS = frozenset(
    {
        *(b"connection", b"content-length", b"date", b"keep-alive", b"trailer"),
        *(b"transfer-encoding", b"upgrade", b"x-graphway-revision", b"x-request-id"),
    }
)


class Endpoint:
    """Who answers for one target now: request prefixes and pools, one a replica."""

    __slots__ = ("pools",)

    def __init__(self, pools: list[tuple[bytes, Pool]]) -> None:
        self.pools = pools

    def choose(self) -> tuple[bytes, Pool]:
        """The replica with the fewest calls outstanding."""
        if len(self.pools) == 1:
            return self.pools[0]
        return min(self.pools, key=lambda pair: pair[1].load)


class HttpUpstream:
    def __init__(
        self,
        config: DataPlaneConfig,
        counters: Counters,
        deadlines: Deadlines,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._config = config
        self._counters = counters
        self._deadlines = deadlines
        self._loop = loop
        self._tasks = Tasks(loop)
        self._resolver = Resolver(loop, config.upstream.dns_refresh_s)
        self._tls: ssl.SSLContext | None = None
        further = {name.strip().lower().encode() for name in config.pass_response_headers}
        self._passed = DESCRIBING | further - OURS
        self._services: dict[str, EndpointSource] = {}  # target name -> where it lives
        self._endpoints: dict[str, Endpoint] = {}  # target name -> pools, made at first use
        self._pools: dict[Origin, Pool] = {}
        self._retired: list[Pool] = []
        if config.upstream.ca_file is not None:
            self._tls_context()  # a bad file is found now, not at the first call

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        endpoint = self._endpoints.get(call.target.name)
        if endpoint is None:
            try:
                endpoint = self._resolve(call.target)
            except ValueError as error:
                failure = Failure(FailureKind.UNRESOLVED, str(error), call.address)
                return self._loop.call_soon(deliver, failure)
        if call.timeout_s is None:
            call.timeout_s = self._config.upstream.call_timeout_s
        prefix, pool = endpoint.choose()
        return pool.start(call, request_head(prefix, call.headers, len(call.body)), deliver)

    def install(self, targets: Iterable[Target], services: Mapping[str, EndpointSource]) -> None:
        """The targets that plans use from now on, and where services live. Others retire."""
        self._services = {f"service:{key}": source for key, source in services.items()}
        self._endpoints.clear()
        wanted: set[Origin] = set()
        for target in targets:
            try:
                wanted.update(origin for _, origin in self._places(target))
            except ValueError:
                continue  # said to each caller who needs it
        for origin in [origin for origin in self._pools if origin not in wanted]:
            pool = self._pools.pop(origin)
            pool.retire()
            self._retired.append(pool)

    def sweep(self) -> None:
        """Once a second."""
        now = self._loop.time()
        for pool in [*self._pools.values(), *self._retired]:
            pool.sweep(now)
        self._retired = [pool for pool in self._retired if not pool.empty]

    def close(self) -> None:
        self._tasks.close()
        for pool in [*self._pools.values(), *self._retired]:
            pool.close()

    def _resolve(self, target: Target) -> Endpoint:
        endpoint = Endpoint(
            [
                (
                    b"POST %b HTTP/1.1\r\nhost: %b\r\n" % (path, origin.authority.encode()),
                    self._pool(origin),
                )
                for path, origin in self._places(target)
            ]
        )
        self._endpoints[target.name] = endpoint
        return endpoint

    def _places(self, target: Target) -> list[tuple[bytes, Origin]]:
        """Raises ValueError with words for the caller if there is nowhere to go."""
        if target.url is not None:
            origin, path = parse_url(target.url)
            return [(path, origin)]
        service = self._services.get(target.name)
        if service is None:
            raise ValueError(f"{target.name} is not known here")
        if not service.addresses:
            raise ValueError(f"{target.name} has no ready replica")
        return [(service.path.encode(), parse_origin(address)) for address in service.addresses]

    def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is None:
            labels = (("target", str(origin)),)
            pool = self._pools[origin] = Pool(
                origin,
                self._config.upstream,
                self._config.limits,
                self._passed,
                self._resolver,
                self._tls_context() if origin.tls else None,
                self._tasks,
                self._deadlines,
                self._loop,
                self._counter("graphway_upstream_connections_opened_total", labels),
                self._counter("graphway_upstream_connections_reused_total", labels),
            )
        return pool

    def _counter(self, name: str, labels: tuple[tuple[str, str], ...]) -> Callable[[], None]:
        index, values = self._counters.counter(name, labels), self._counters.values

        def count() -> None:
            values[index] += 1

        return count

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            upstream = self._config.upstream
            self._tls = ssl.create_default_context()
            if (
                upstream.ca_file is not None
            ):  # beside the system's, so that both kinds of targets work
                self._tls.load_verify_locations(cafile=upstream.ca_file)
            if not upstream.verify_tls:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return self._tls
