"""Which of the caller's headers go on to the steps.

Always those that describe the body. Beside them whatever matches PROPAGATE_HEADERS, or the graph's
own `propagateHeaders`: KServe's list of Go regular expressions, each searched, without anchors, in
the canonical name (X-Request-Id), which RE2 reads as Go does.
"""

import logging

import re2

from graph.effects import Headers
from graph.headers import DESCRIBING, FRAMING
from router.circles import ROUNDS
from router.messages import Head
from router.wire.hops import named

log = logging.getLogger("graphway.propagate")

GRAPHS_REMEMBERED = 1024

# Ours to write for each call, or gone with the body anyway.
_NEVER = FRAMING | DESCRIBING | {ROUNDS}


class Propagate:
    """The patterns, compiled; falsy if there are none. Bad ones are said and skipped, as KServe
    does.
    """

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = []
        self._written = patterns
        self._beside: dict[tuple[str, ...], Propagate] = {}
        for pattern in patterns:
            try:
                self._patterns.append(re2.compile(pattern))
            except re2.error as error:
                log.warning("PROPAGATE_HEADERS: %r is no regular expression: %s", pattern, error)
        self._names: dict[bytes, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def beside(self, patterns: tuple[str, ...]) -> "Propagate":
        """These and a graph's own, which its check has found to be good."""
        found = self._beside.get(patterns)
        if found is None:
            if len(self._beside) >= GRAPHS_REMEMBERED:  # edits of graphs make new ones for ever
                self._beside.clear()
            found = self._beside[patterns] = Propagate((*self._written, *patterns))
        return found

    def __call__(self, head: Head) -> Headers:
        pairs = [pair for pair in head.headers if self._wanted(pair[0])]
        if b"connection" in head.fields:
            hop_by_hop = named(head.headers)
            pairs = [pair for pair in pairs if pair[0] not in hop_by_hop]
        return tuple(pairs)

    def _wanted(self, name: bytes) -> bool:
        wanted = self._names.get(name)
        if wanted is None:
            written = canonical(name)
            wanted = name not in _NEVER and any(p.search(written) for p in self._patterns)
            if len(self._names) < 1024:
                self._names[name] = wanted
        return wanted


def canonical(name: bytes) -> str:
    """As Go writes it: x-b3traceid is X-B3traceid, a capital after hyphens only."""
    return "-".join([part.capitalize() for part in name.decode("ascii").split("-")])
