"""The one table of failures: what each kind means to a caller, and how loudly it is logged.

Nothing else in the router turns a failure into a status.
"""

from typing import NamedTuple

from graph.effects import Failure, FailureKind, error_body
from graph.plan import Plan
from router.messages import JSON, Response
from router.wire.grpc.status import Code


class Meaning(NamedTuple):
    status: int
    code: Code  # gRPC's
    level: str  # of the request's line in the access log


FAILURES: dict[FailureKind, Meaning] = {
    FailureKind.NO_MATCH: Meaning(404, Code.NOT_FOUND, "info"),  # the caller's data fits no branch
    FailureKind.NO_ROUTE: Meaning(500, Code.INTERNAL, "error"),  # check refuses such graphs
    FailureKind.INVALID_ANSWER: Meaning(502, Code.INTERNAL, "warning"),
    FailureKind.NO_QUORUM: Meaning(502, Code.UNAVAILABLE, "warning"),
    # The caller's data, or a step's, is not as expected.
    FailureKind.MAPPING: Meaning(422, Code.INVALID_ARGUMENT, "info"),
    FailureKind.BAD_REQUEST: Meaning(400, Code.INVALID_ARGUMENT, "info"),
    FailureKind.STALLED: Meaning(408, Code.CANCELLED, "info"),
    FailureKind.UNRESOLVED: Meaning(503, Code.UNAVAILABLE, "warning"),  # may well come up soon
    FailureKind.CONNECT: Meaning(502, Code.UNAVAILABLE, "warning"),
    FailureKind.RESET: Meaning(502, Code.UNAVAILABLE, "warning"),
    FailureKind.PROTOCOL: Meaning(502, Code.INTERNAL, "warning"),
    FailureKind.TIMEOUT: Meaning(504, Code.DEADLINE_EXCEEDED, "warning"),
    FailureKind.DEADLINE: Meaning(504, Code.DEADLINE_EXCEEDED, "warning"),
    FailureKind.OVERLOAD: Meaning(503, Code.RESOURCE_EXHAUSTED, "warning"),
    FailureKind.CIRCLE: Meaning(508, Code.FAILED_PRECONDITION, "warning"),
    FailureKind.INTERNAL: Meaning(500, Code.INTERNAL, "error"),
}


def status(failure: Failure, plan: Plan | None) -> int:
    """The status that the caller sees. In compat mode KServe's: 404 for a root Switch, else 500."""
    if plan is not None and plan.compat:
        root = failure.kind is FailureKind.NO_MATCH and failure.address == plan.root.address
        return 404 if root else 500
    return FAILURES[failure.kind].status


def response(failure: Failure, plan: Plan | None) -> Response:
    return Response(status(failure, plan), JSON, error_body(failure.cause))


def error(status: int, cause: str, close: bool = False) -> Response:
    """An answer of the router itself, in the shape of all errors."""
    return Response(status, JSON, error_body(cause), close)
