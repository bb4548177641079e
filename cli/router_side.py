"""The router as the control plane sees it: endpoints go in, what is served comes out."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import astuple

from controller.endpoints import Endpoint
from controller.graphs import Served
from router.config import EndpointSource, RevisionSource
from router.loads import ServiceLoad
from router.parent import Parent

INSTALLED_S = 5.0  # for workers to take a new table; one that hangs is replaced by then
DRAIN_LOOK_S = 0.05  # between two looks at what is still in flight


class RouterSide:
    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        # Replaced as a whole, so that any thread may read it.
        self.endpoints: Mapping[str, EndpointSource] = {}

    def set_endpoints(self, endpoints: Mapping[str, Endpoint]) -> None:
        self.endpoints = {
            key: EndpointSource(
                each.path,
                tuple(RevisionSource(*astuple(route)) for route in each.routes),
                each.hold,
            )
            for key, each in endpoints.items()
        }
        self._parent.set_endpoints(self.endpoints)

    def graph(self, key: str) -> Served | str:
        generation = self._parent.generation
        if (served := generation.graphs.get(key)) is not None:
            bad = [str(problem) for problem in served.problems if problem.is_error]
            problem = bad[0] if served.stale and bad else None
            url = f"{self._parent.data_url}/graphs/{key}"
            workers = self._parent.workers()
            everywhere = workers["current"] == workers["serving"]
            return Served(url, served.loaded.revision, problem, everywhere)
        problems = generation.unserved().get(key)
        return str(problems[0]) if problems else "the router has not loaded it yet"

    def service_url(self, key: str) -> str:
        """Where callers reach a service without a graph; paths go on below."""
        return f"{self._parent.data_url}/services/{key}"

    def loads(self) -> Mapping[tuple[str, str], ServiceLoad]:
        """What each revision carries, by (service, revision); cheap enough for several a second."""
        return self._parent.service_loads()

    def in_flight(self, addresses: Collection[str]) -> int:
        """Calls that the replicas at these addresses still work on."""
        return self._parent.in_flight(addresses)

    async def settled(self, _service: str = "") -> None:
        """Until every worker has what was said so far."""
        try:
            async with asyncio.timeout(INSTALLED_S):
                await self._parent.settled()
        except TimeoutError:
            pass

    async def drained(self, addresses: Collection[str], limit_s: float) -> bool:
        """Until these addresses are no longer in the table, no worker sends calls there, and those
        on their way have ended; False if the time is up before.
        """
        wanted = frozenset(addresses)
        try:
            async with asyncio.timeout(limit_s):
                # Whoever withdraws them has it looked at soon, not at once.
                while self._named(wanted):  # noqa: ASYNC110 - the table tells nobody
                    await asyncio.sleep(DRAIN_LOOK_S)
                await self.settled()
                while self.in_flight(addresses):  # noqa: ASYNC110 - shared memory tells nobody
                    await asyncio.sleep(DRAIN_LOOK_S)
        except TimeoutError:
            return False
        return True

    def _named(self, addresses: Collection[str]) -> bool:
        """Whether the table still has one of these."""
        return any(
            address in addresses
            for endpoint in self.endpoints.values()
            for revision in endpoint.revisions
            for address in revision.addresses
        )
