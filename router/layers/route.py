"""Finds the graph, or the service. First of all layers, so that the others know it."""

from graph.plan import Plan
from router.messages import Cancellable, Handler, Request, Respond
from router.plans import Plans


def route(inner: Handler, plans: Plans) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        found = plans.routes.find(request.head.path, request.head.fields.get(b"host", b""))
        if isinstance(found, Plan):
            request.plan = found
        else:
            request.service = found
        return inner(request, respond)

    return handle
