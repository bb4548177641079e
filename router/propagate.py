"""Which of the caller's headers go on to the steps.

Always those that describe the body. Beside them whatever matches PROPAGATE_HEADERS: KServe's list
of Go regular expressions, each searched, without anchors, in the canonical name (X-Request-Id),
which RE2 reads as Go does.
"""

import logging

import re2

from graph.effects import Headers
from router.messages import Head
from router.wire.hops import named

log = logging.getLogger("graphway.propagate")

# Ours to write for each call: never copied, whatever the patterns say.
_NEVER = frozenset(
    {
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"trailer",
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"upgrade",
        b"te",
        b"expect",
        b"content-type",  # these three go with the body anyway
        b"content-encoding",
        b"inference-header-content-length",
    }
)


class Propagate:
    """The patterns, compiled; falsy if there are none. Bad ones are said and skipped, as KServe
    does.
    """

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = []
        for pattern in patterns:
            try:
                self._patterns.append(re2.compile(pattern))
            except re2.error as error:
                log.warning("PROPAGATE_HEADERS: %r is no regular expression: %s", pattern, error)
        self._names: dict[bytes, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._patterns)

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
