"""Finds the graph. First of all layers, so that the others know it."""

from router.messages import Cancellable, Handler, Request, Respond
from router.plans import Plans


def route(inner: Handler, plans: Plans) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        request.plan = plans.routes.find(request.head.path, request.head.fields.get(b"host", b""))
        return inner(request, respond)

    return handle
