"""What passes between front, layers and core: requests and responses, free of any protocol's bytes.

Header names are lower-case bytes. A request also carries the record that layers write while it runs
(who asked, which plan, which way it went), so that logs and metrics need no second bookkeeping.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from graph.document import Document
from graph.effects import Call, Decision, Failure, Headers

if TYPE_CHECKING:
    from graph.plan import Plan
    from graph.trace import Trace
    from router.plans import Service
    from router.streams import Pipe

CLIENT_CLOSED = 499  # nginx's code for a client that left; never sent, only logged and counted


class Head:
    """What a request says before its body. Shared by equal requests, so nobody changes one."""

    __slots__ = (
        "fields", "headers", "http11", "infers", "keep_alive", "method", "packed", "path",
        "payload", "query", "upgrades",
    )  # fmt: skip

    def __init__(
        self,
        method: bytes,
        path: bytes,
        query: bytes,
        headers: Headers,
        fields: dict[bytes, bytes] | None = None,
        *,
        http11: bool = True,
        keep_alive: bool = True,
        upgrades: bool = False,
    ) -> None:
        self.method = method
        self.path = path  # as sent, without the query
        self.query = query
        self.headers = headers
        self.fields = dict(headers) if fields is None else fields  # one value a name, the last one
        self.http11 = http11
        self.keep_alive = keep_alive
        self.upgrades = upgrades  # it is the handshake of a WebSocket
        self.payload = _describing(self.fields)  # the headers that go with the body
        self.infers = path.endswith(b"/infer")  # V2's word for it
        self.packed = len(self.payload) > 1  # the body has to be opened to be looked at


class Request:
    """A head and a body, and the record that layers write while it is answered."""

    __slots__ = (
        "client",
        "decisions",
        "document",
        "failure",
        "head",
        "hop",
        "model",
        "plan",
        "request_id",
        "revision",
        "service",
        "started",
        "timeout_s",
        "trace",
        "upload",
    )

    def __init__(self, head: Head, document: Document) -> None:
        self.head = head
        self.document = document
        self.client = ""
        self.started = 0.0  # time.monotonic(), the loop's clock, when all of it had come
        self.request_id = b""
        self.plan: Plan | None = None
        self.hop: Call | None = None  # of a graph that calls this one within the router
        self.service: Service | None = None  # asked for without a graph
        self.revision = ""  # of this service
        self.timeout_s: float | None = None  # how long the caller waits, where it says so
        self.model = b""  # that the message names, where the path names none
        self.decisions: list[Decision] = []
        self.failure: Failure | None = None
        self.upload: Pipe | None = None  # the body, if it is not whole; the document is empty then
        self.trace: Trace | None = None  # where the caller asked for an explanation


class Response:
    """An answer, or its beginning: with a `stream` the body is still on its way, and `status` says
    how it ended once it has.
    """

    __slots__ = ("body", "close", "headers", "status", "stream", "tells_length")

    def __init__(
        self,
        status: int,
        headers: Headers = (),
        body: bytes = b"",
        close: bool = False,
        tells_length: bool = False,
        stream: "Pipe | None" = None,
    ) -> None:
        self.status = status
        self.headers = (
            headers  # without Content-Length and hop-by-hop headers: the front adds its own
        )
        self.body = body
        self.close = close  # the connection must not be used again
        # An answer to HEAD: whatever its headers say of a length is all that is known.
        self.tells_length = tells_length
        self.stream = stream


class Cancellable(Protocol):
    def cancel(self) -> None:
        """Stop working on it. Harmless once it is done."""


Respond = Callable[[Response], None]
"""Called exactly once for each request, with status CLIENT_CLOSED if it was cancelled. A response
with a stream ends with that stream: who wants to see the end watches it.
"""

Handler = Callable[[Request, Respond], Cancellable]
"""Takes a request and answers it through `Respond`, at once or later. Layers wrap one around
another.
"""


class Done:
    """The handle of something that is over already."""

    def cancel(self) -> None:
        pass


DONE = Done()
JSON: Headers = ((b"content-type", b"application/json"),)
BINARY: Headers = ((b"content-type", b"application/octet-stream"),)

# What plain `curl -d` and HTML forms send: the body is JSON all the same, or nothing would read it.
_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data")


def _describing(fields: dict[bytes, bytes]) -> Headers:
    """The caller's headers about the body, with JSON where no type or a form's is given."""
    kind = fields.get(b"content-type")
    if kind is None and b"inference-header-content-length" in fields:
        headers = BINARY  # tritonclient names no type
    elif kind is None or kind.lower().startswith(_FORMS):
        headers = JSON
    else:
        headers = ((b"content-type", kind),)
    for name in (b"content-encoding", b"inference-header-content-length"):
        if name in fields:
            headers = (*headers, (name, fields[name]))
    return headers
