"""What runs: a spec after all questions have been answered.

Only the compiler makes a plan, and a plan needs no check when it runs: targets are named, weights
cumulated, conditions compiled, addresses spelled out. A target is a name; where it lives now is the
business of the upstream.
"""

from dataclasses import dataclass

from graph.conditions import Condition
from graph.document import Document
from graph.effects import Headers
from graph.headers import HeaderEdit
from graph.mapping import Mapping
from graph.spec import Combine, RouterType


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to call. `name`, unique in the process, is the URL or `service:<ns>/<name>`."""

    name: str
    url: (
        str | None
    )  # as the manifest has it; None for a service, whose address the endpoint table knows


@dataclass(frozen=True, slots=True)
class Answering:
    """The answer of a step that asks nobody."""

    status: int
    headers: Headers
    body: Document | Mapping


@dataclass(slots=True)
class Extra:
    """What a step has beside a target; most have nothing of it."""

    data: Mapping | None  # its input is made anew
    respond: Answering | None
    recorded: bool  # a mapping of a later step names it


@dataclass(slots=True)
class PlanStep:
    address: str  # graph/node/step, the name of this step in logs, metrics and errors
    key: str  # name, or else index: its key in an Ensemble's answer
    label: bytes  # the key as it stands there, with the colon
    target: Target | None  # at most one of target and node
    node: "PlanNode | None"
    hard: bool
    takes_response: bool  # data: $response
    maps_predictions: bool
    forwards: bool  # the caller's method, path and query instead of a POST to the target's URL
    condition: Condition | None
    timeout_s: float | None
    headers: HeaderEdit | None
    extra: Extra | None


@dataclass(frozen=True, slots=True)
class Joining:
    """What an Ensemble makes of its answers, if not an object of all of them."""

    combine: Combine | None
    quorum: int  # 0: none is asked for
    deadline_s: float | None
    weights: tuple[int, ...]  # of the steps

    @property
    def needed(self) -> int | None:
        """So many successes settle it; None: all answers are waited for."""
        return self.quorum or (1 if self.combine is Combine.FIRST else None)


@dataclass(slots=True)
class PlanNode:
    address: str  # graph/node
    kind: RouterType
    steps: tuple[PlanStep, ...]
    cumulative: tuple[int, ...]  # Splitter: running sums of the weights
    salt: int  # Splitter: what its draws are mixed with
    compat: bool  # KServe's outcomes where we depart from them
    reads_body: bool  # this node itself looks into the request body
    streams: bool  # its input goes unread to one target, so it may be a stream
    needs_caller: bool  # this node or one below it looks at headers, path and the like
    joining: Joining | None = None  # Ensemble


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; None means no limit. KServe's routerTimeouts with its defaults, and timeout."""

    read_s: float | None  # serverRead: the whole request, from its first byte
    answer_s: float | None  # serverWrite: until the answer begins
    idle_s: float | None  # serverIdle: between two requests of a connection
    whole_s: float | None = None  # timeout: the whole request, with an answer that streams

    @property
    def begin_s(self) -> float | None:
        """Until the answer begins, whichever limit that is."""
        given = [limit for limit in (self.answer_s, self.whole_s) if limit is not None]
        return min(given, default=None)


@dataclass(frozen=True, slots=True)
class Plan:
    namespace: str
    name: str
    key: str  # namespace/name
    revision: str  # short hash of the spec
    revision_bytes: bytes  # the same, as headers carry it
    root: PlanNode
    targets: tuple[Target, ...]
    timeouts: Timeouts
    compat: bool
    forwards: bool  # some step gets the caller's method and path
    propagated: tuple[str, ...]  # patterns of the caller's headers that every call carries
    records: bool  # some mapping names earlier steps
    partial: bool  # some Ensemble may leave steps out
    streams: bool  # a request's body may be a stream
    needs_caller: bool  # an Input needs its `caller`
