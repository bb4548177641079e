"""The router as the control plane sees it: endpoints go in, what is served comes out."""

import asyncio
from collections.abc import Callable, Mapping

from controller.endpoints import Endpoint
from controller.graphs import Served
from router.config import EndpointSource
from router.parent import Parent

INSTALLED_S = 5.0  # for workers to take a new table; one that hangs is replaced by then


class RouterSide:
    """`changed` is to be called whenever the parent serves something else."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._turned = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        # Replaced as a whole, so that any thread may read it.
        self.endpoints: Mapping[str, EndpointSource] = {}

    def changed(self) -> None:
        self._turned.set()
        self.on_change()

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
            return Served(url, served.loaded.revision, problem)
        problems = generation.unserved().get(key)
        return str(problems[0]) if problems else "the router has not loaded it yet"

    async def settled(self, _service: str = "") -> None:
        """Until every worker has what was said so far."""
        try:
            async with asyncio.timeout(INSTALLED_S):
                while self._behind():
                    self._turned.clear()
                    await self._turned.wait()
        except TimeoutError:
            pass

    def _behind(self) -> bool:
        workers = self._parent.workers()
        return workers["current"] < workers["serving"] and not self._parent.stopping
