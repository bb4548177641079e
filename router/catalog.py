"""The graphs of a running router: what was loaded, what workers should serve, what they could.

It applies `settle` to each load, tells the workers about a new generation, says on the log what a
reload did, and goes back to the last installed generation if a worker refuses one. It is driven by
the parent and reads no files itself.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from router.channel import Install, Installed
from router.config import EndpointSource
from router.generation import Generation, settle
from router.log import fields
from router.metrics import Sample
from router.source import Loaded

log = logging.getLogger("graphway.graphs")


class Catalog:
    def __init__(
        self, install: Callable[[Install], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._install = install
        self._clock = clock
        self._loaded: Loaded | None = None  # the newest, good or bad
        self._known: Mapping[str, EndpointSource] = {}  # endpoints, as loaded
        self._fed: Mapping[str, EndpointSource] = {}
        self._accepted: Generation | None = None
        self._reloads = {"success": 0, "failure": 0, "unchanged": 0}
        self._last_success = 0.0
        self.generation = Generation()

    def begin(self, loaded: Loaded) -> None:
        """The first load, known to be good."""
        if not loaded.graphs:
            log.warning("there is no InferenceGraph here: every path answers 404")
        self._take(loaded)
        if self.generation.number == 0:  # nothing yet; workers listen from their first word on
            self.generation = replace(self.generation, number=1)
            self._send()

    def reload(self, loaded: Loaded) -> None:
        """A later one, of any quality."""
        if loaded == self._loaded:
            self._reloads["unchanged"] += 1
            return
        self._take(loaded)
        self._reloads["failure" if self.generation.errors else "success"] += 1

    def reload_failed(self) -> None:
        """Loading itself broke; everything stays."""
        self._reloads["failure"] += 1

    def feed(self, endpoints: Mapping[str, EndpointSource]) -> None:
        """Where services live now; these come before those that were loaded."""
        self._fed = dict(endpoints)
        if self._loaded is not None:
            self._settle(self._loaded)

    def installed(self, number: int) -> None:
        """A worker serves this generation."""
        if number == self.generation.number:
            self._accepted = self.generation

    def refused(self, answer: Installed) -> None:
        """A worker could not install what loaded well: back to what was last installed, if any."""
        for problem in answer.problems:
            log.error("a worker refuses: %s", problem, extra=fields(generation=answer.generation))
        current, accepted = self.generation, self._accepted
        if answer.generation != current.number or accepted is current:
            return
        self._reloads["failure"] += 1
        if accepted is None:
            self.generation = replace(current, refused=answer.problems)
        else:
            # Graphs go back; services do not: who was taken out of the table may be gone by now.
            endpoints = {**accepted.endpoints, **self._fed}
            self.generation = replace(
                accepted,
                number=current.number + 1,
                endpoints=endpoints,
                refused=answer.problems,
            )
            self._send()

    @property
    def refused_at_start(self) -> tuple[str, ...]:
        return self.generation.refused if self._accepted is None else ()

    def samples(self) -> Iterator[Sample]:
        for result, count in self._reloads.items():
            yield Sample("graphway_reloads_total", count, (("result", result),))
        good = not self.generation.errors and not self.generation.refused
        yield Sample("graphway_last_reload_successful", good)
        yield Sample("graphway_last_reload_success_timestamp_seconds", self._last_success)
        for key, graph in self.generation.graphs.items():
            label = ("graph", key)
            revision = ("revision", graph.loaded.revision)
            yield Sample("graphway_graph_info", 1, (label, revision))
            yield Sample("graphway_graph_up_to_date", not graph.stale, (label,))
            yield Sample("graphway_graph_loaded_timestamp_seconds", graph.since, (label,))

    def _take(self, loaded: Loaded) -> None:
        before = self.generation
        self._loaded = loaded
        # A graph that stays through a bad edit still needs the services that were known with it.
        bad = any(problem.is_error for problem in loaded.problems)
        self._known = {**self._known, **loaded.endpoints} if bad else loaded.endpoints
        self._settle(loaded)
        if not self.generation.errors:
            self._last_success = self._clock()
        _report(before, self.generation)

    def _settle(self, loaded: Loaded) -> None:
        number = self.generation.number
        merged = replace(loaded, endpoints={**self._known, **self._fed})
        self.generation = settle(self.generation, merged, self._clock())
        if self.generation.number != number:
            self._send()

    def _send(self) -> None:
        generation = self.generation
        graphs = tuple(graph.loaded.source for graph in generation.graphs.values())
        self._install(Install(generation.number, graphs, dict(generation.endpoints)))


def _report(before: Generation, after: Generation) -> None:
    for problem in after.problems:
        log.log(logging.ERROR if problem.is_error else logging.WARNING, "%s", problem)
    for key, graph in after.graphs.items():
        old = before.graphs.get(key)
        if graph.stale:
            log.error("bad edit, the graph stays as it was", extra=fields(graph=key))
        elif old is None or old.stale or old.loaded.revision != graph.loaded.revision:
            log.info("graph loaded", extra=fields(graph=key, revision=graph.loaded.revision))
    for key in before.graphs.keys() - after.graphs.keys():
        log.info("graph removed", extra=fields(graph=key))
