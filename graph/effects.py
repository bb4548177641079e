"""The words between deciding and doing: everything that a walk can say to its driver and hear back.

A walk is a generator. It yields `Call` (ask one target) or `All` (run branches side by side), is
resumed with the answer (`Reply | Failure`, a list of them for `All`) and returns its outcome.
Failures are values; an exception out of a walk is a bug. The same plan, input and answers give the
same walk, so a request can be replayed without a server.

These are made for every request, so they are msgspec's structs: a dataclass with as many fields
takes several times as long to make.
"""

from collections.abc import Callable, Generator
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from graph.document import Document, Form

if TYPE_CHECKING:
    from graph.caller import Caller
    from graph.plan import Target
    from graph.trace import Trace

Headers = tuple[tuple[bytes, bytes], ...]  # names in lower case


class FailureKind(Enum):
    """Why there is no answer. `router.failures` maps each to a status; nothing else knows statuses
    of failures.
    """

    NO_MATCH = "no_match"  # no Switch branch, or not even the first step of a Sequence, matched
    NO_ROUTE = "no_route"  # a Splitter whose weights choose nobody
    INVALID_ANSWER = "invalid_answer"  # a step's answer is not JSON where JSON is needed
    NO_QUORUM = "no_quorum"  # fewer steps of an Ensemble succeeded than must
    MAPPING = "mapping"  # `data` cannot be built of what there is
    BAD_REQUEST = "bad_request"  # the request cannot be what this graph, or a step of it, needs
    STALLED = "stalled"  # the body of the request stopped coming
    UNRESOLVED = "unresolved"  # the target has no address
    CONNECT = "connect"  # refused, unreachable, name not found, TLS refused
    RESET = "reset"  # the connection broke before the whole answer had come
    PROTOCOL = "protocol"  # the answer is no HTTP, or too large
    TIMEOUT = "timeout"  # the step did not answer within its time
    DEADLINE = "deadline"  # the whole request is out of time
    OVERLOAD = "overload"  # no connection could be had within the limits
    CIRCLE = "circle"  # graphs call one another without end
    INTERNAL = "internal"  # a bug of ours; the log has the traceback


class Stream(Protocol):
    """A body that is still on its way. A walk hands it on and never looks inside; what else it can
    do is the driver's business.
    """

    def cancel(self) -> None:
        """Nobody wants the rest."""


class Payload(msgspec.Struct):
    """A body on its way to a target: the bytes, and the headers that describe them (Content-Type
    and the like). As a stream it goes to one target, and the document is empty.
    """

    document: Document
    headers: Headers
    stream: Stream | None = None


class Reply(msgspec.Struct):
    """An answer of a target, whatever its status. `headers` describe the body.

    To a call with `stream` the rest of the answer may still be on its way: then `stream` is it, and
    the document is empty.
    """

    status: int
    headers: Headers
    document: Document
    stream: Stream | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status <= 299


class Failure(msgspec.Struct):
    kind: FailureKind
    cause: str  # for the caller's eyes: {"error": ..., "cause": cause}
    address: str = ""  # graph/node/step that failed; graph/node where no step was chosen


Answer = Reply | Failure
Outcome = Answer  # what a whole walk comes to


class Decision(msgspec.Struct):
    """Which way a node went, and why: shared by access log, explain and traces."""

    node: str  # ns/name/node
    step: str  # the step by name, or else its index
    kind: str  # "Splitter", "Switch"; "ConditionError": a condition could not be evaluated
    point: float | None = None  # Splitter: the draw in [0, 1)
    condition: str | None = None  # Switch: the condition that matched; or could not be evaluated
    why: str = ""  # it could not


class Forward(msgspec.Struct):
    """A caller's own request, passed on instead of a POST to the target's path. Its headers are
    those of the call, and all headers of the answer come back, but for those of one hop and those
    that a front writes itself.
    """

    method: bytes
    path: bytes  # with the query; it goes below the path of the target's URL, which may be all


class Call(msgspec.Struct):
    """Ask one target. The driver owns sockets, retries of unsent requests, and the clock."""

    address: str  # graph/node/step
    target: "Target"
    headers: Headers
    body: bytes
    timeout_s: float | None
    seed: int = 0  # of the Input: one request sees one revision of a service
    forward: Forward | None = None
    stream: bool = False  # nobody looks into the answer: it may be handed over before it is whole
    upload: Stream | None = None  # the body, where it is not whole; `body` is empty then
    revision: str = ""  # of the service that was asked; the driver fills it in
    form: Form = Form.PLAIN  # of the body
    upgrade: bool = False  # a WebSocket's handshake: `upload` is what follows, if it succeeds
    adapt: bool = False  # V1 or V2, whichever the body is and the target speaks: fit the one to it


class All(msgspec.Struct):
    """Run branches side by side; answers come back as a list in branch order.

    `stop` is told which branch has answered, sees the answers so far (None: not yet) and says
    whether the rest is moot: the driver then cancels it and resumes the walk with what it has.
    """

    branches: "list[Call | Walk]"
    stop: Callable[[int, list[Answer | None]], bool]
    deadline_s: float | None = None  # after which the walk goes on with what it has


Effect = Call | All
Walk = Generator[
    Effect, Any, Outcome
]  # resumed with an Answer after Call, with list[Answer | None] after All


class Taken(msgspec.Struct):
    """What became of a step, for the mappings of later ones. No response: it failed."""

    request: Document
    response: Document | None
    status: int | None


class Input(msgspec.Struct):
    """What arrives at a graph. Immutable for the walk but for `decisions` and `steps`, the records
    that the walk writes.
    """

    payload: Payload
    propagated: Headers = ()  # caller's headers that every call carries
    seed: int = 0  # 64 random bits: the only randomness a walk sees
    decisions: list[Decision] = msgspec.field(default_factory=list)
    caller: "Caller | None" = None  # where the plan needs it
    trace: "Trace | None" = None  # where somebody asked why
    steps: dict[str, Taken] | None = None  # by name, those that a later mapping names


def error_body(cause: str) -> bytes:
    """The body of every error, byte for byte in KServe's shape (clients match on its two keys)."""
    return msgspec.json.encode({"error": "Failed to process request", "cause": cause})
