"""The route of a gRPC request that asked for it, in the metadata of its answer or error."""

import pytest

from graph.document import Document
from graph.effects import Failure, FailureKind, Headers
from graph.trace import Trace
from router.front.grpc_infer import Ending
from router.messages import Head, Request, Response

ROUTE = (b"x-graphway-route", b"total(1ms)")
MESSAGE = (b"content-type", b"application/grpc")
ANSWERS = {
    "an answer": (Response(200, (MESSAGE, ROUTE), b""), None),
    "an error of a step": (Response(503, (ROUTE,), b"busy"), None),
    "an error of the router": (Response(504, (ROUTE,)), Failure(FailureKind.DEADLINE, "late")),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("asked", [True, False])
def test_the_route_is_told_to_who_asked(name: str, asked: bool) -> None:
    response, failure = ANSWERS[name]
    if not asked:
        headers: Headers = tuple(pair for pair in response.headers if pair is not ROUTE)
        response = Response(response.status, headers, response.body)
    request = Request(Head(b"POST", b"/", b"", ()), Document(b""))
    request.failure = failure
    request.trace = Trace() if asked else None
    routes = [pair for pair in Ending(request, response).metadata if pair[0] == ROUTE[0]]
    assert routes == ([ROUTE] if asked else [])
