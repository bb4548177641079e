"""The router as the control plane sees it: endpoints go in, what is served comes out."""

import asyncio
from collections.abc import Mapping

from controller.endpoints import Endpoint
from controller.graphs import Served
from router.config import EndpointSource
from router.parent import Parent

INSTALLED_S = 5.0  # for workers to take a new table; one that hangs is replaced by then


class RouterSide:
    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        # Replaced as a whole, so that any thread may read it.
        self.endpoints: Mapping[str, EndpointSource] = {}

    def set_endpoints(self, endpoints: Mapping[str, Endpoint]) -> None:
        self.endpoints = {
            key: EndpointSource(each.addresses, each.path) for key, each in endpoints.items()
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

    async def settled(self, _service: str = "") -> None:
        """Until every worker has what was said so far."""
        try:
            async with asyncio.timeout(INSTALLED_S):
                await self._parent.settled()
        except TimeoutError:
            pass
