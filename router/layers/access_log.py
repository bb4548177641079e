"""One line for each request, written when it ends."""

from collections.abc import Callable

from router.messages import Cancellable, Handler, Request, Respond, Response

Record = Callable[[Request, Response], None]


def access_log(inner: Handler, record: Record) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        def finished(response: Response) -> None:
            if response.stream is not None:
                response.stream.watch(lambda _: record(request, response))
            else:
                record(request, response)
            respond(response)

        return inner(request, finished)

    return handle
