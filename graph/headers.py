"""Headers that a graph writes: into the calls of a step, and into answers of its own.

What frames a message or belongs to one hop is the router's to write, whatever a graph says; so is
what tells how a body is packed.
"""

import re
from typing import Final

from graph.caller import Caller
from graph.effects import Headers
from graph.spec import StepHeaders

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")  # RFC 9110, 5.6.2
VALUE: Final = re.compile(r"(?:[^\x00-\x20\x7f](?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)?")

# Ours to write, so that a graph can neither copy nor set them.
FRAMING: Final = frozenset(
    {
        *(b"host", b"content-length", b"transfer-encoding", b"trailer", b"connection"),
        *(b"keep-alive", b"proxy-connection", b"upgrade", b"te", b"expect"),
    }
)
CONTENT_TYPE: Final = b"content-type"
# These go with a body, and say what it is.
DESCRIBING: Final = frozenset(
    {CONTENT_TYPE, b"content-encoding", b"inference-header-content-length"}
)
# The front writes these into every answer.
FRONTS: Final = frozenset({b"date", b"x-request-id", b"x-graphway-revision"})


class HeaderEdit:
    """What becomes of the headers of a call: some go, some of the caller's come, some are set. Of
    one name, what is set replaces what is copied, and that what is propagated.
    """

    __slots__ = ("_copied", "_removed", "_set")

    def __init__(self, written: StepHeaders) -> None:
        self._set = headers_of(written.set_ or {})
        given = frozenset(name for name, _ in self._set)
        self._removed = frozenset(map(_lower, written.remove or ())) | given
        self._copied = frozenset(map(_lower, written.copy_ or ())) - given

    @property
    def needs_caller(self) -> bool:
        return bool(self._copied)

    def __call__(self, headers: Headers, caller: Caller | None) -> Headers:
        removed = self._removed
        copied: Headers = ()
        if self._copied and caller is not None:
            copied = tuple([pair for pair in caller.headers if pair[0] in self._copied])
            removed = removed.union(name for name, _ in copied)
        kept = [pair for pair in headers if pair[0] not in removed]
        return (*kept, *copied, *self._set)


def headers_of(written: dict[str, str]) -> Headers:
    return tuple((_lower(name), value.encode()) for name, value in written.items())


def _lower(name: str) -> bytes:
    return name.lower().encode()
