"""Which of the caller's headers go on to the steps.

Always those that describe the body. Beside them whatever matches PROPAGATE_HEADERS: KServe's list
of Go regular expressions, each searched, without anchors, in the canonical name (X-Request-Id),
which RE2 reads as Go does.
"""

import logging

import re2

from graph.effects import Headers
from router.messages import Head

log = logging.getLogger("graphway.propagate")

_FORMS = (
    b"application/x-www-form-urlencoded",
    b"multipart/form-data",
)  # what plain `curl -d` sends
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
        hop_by_hop = {
            option.strip().lower() for option in head.fields.get(b"connection", b"").split(b",")
        }
        return tuple(
            [
                (name, value)
                for name, value in head.headers
                if name not in hop_by_hop and self._wanted(name)
            ]
        )

    def _wanted(self, name: bytes) -> bool:
        wanted = self._names.get(name)
        if wanted is None:
            canonical = name.decode("ascii").title()
            wanted = name not in _NEVER and any(p.search(canonical) for p in self._patterns)
            if len(self._names) < 1024:
                self._names[name] = wanted
        return wanted
