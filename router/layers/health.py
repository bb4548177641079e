"""`/readyz` on the data port, as KServe's router answers it: for load balancers, neither logged nor
counted.
"""

from collections.abc import Callable

from router.messages import DONE, Cancellable, Handler, Request, Respond, Response

_TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)


def health(inner: Handler, ready: Callable[[], bool]) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        if request.head.path != b"/readyz":
            return inner(request, respond)
        respond(Response(200) if ready() else Response(503, _TEXT, b"shutting down\n"))
        return DONE

    return handle
