"""/readyz on the data port."""

import pytest

from graph.document import Document
from router.layers.health import health
from router.messages import DONE, Cancellable, Head, Request, Respond, Response


def asked(path: bytes, *, ready: bool, method: bytes = b"GET") -> Response:
    def inner(request: Request, respond: Respond) -> Cancellable:
        respond(Response(299))
        return DONE

    answers: list[Response] = []
    request = Request(Head(method, path, b"", ()), Document(b""))
    health(inner, lambda: ready)(request, answers.append).cancel()
    (answer,) = answers
    return answer


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"], ids=bytes.decode)
def test_ready(method: bytes) -> None:
    answer = asked(b"/readyz", ready=True, method=method)
    assert (answer.status, answer.headers, answer.body) == (200, (), b"")


def test_shutting_down() -> None:
    answer = asked(b"/readyz", ready=False)
    assert (answer.status, answer.body) == (503, b"shutting down\n")
    assert answer.headers == ((b"content-type", b"text/plain; charset=utf-8"),)


@pytest.mark.parametrize("path", [b"/", b"/readyz/", b"/readyz2", b"/x/readyz", b"", b"/READYZ"])
@pytest.mark.parametrize("ready", [True, False])
def test_every_other_path_goes_on(path: bytes, ready: bool) -> None:
    assert asked(path, ready=ready).status == 299
