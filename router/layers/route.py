"""Finds the graph, or the service. First of all layers, so that the others know it.

What asks about graphs instead of calling one goes no further.
"""

from graph.plan import Plan
from router.layers.model_paths import METHODS, AskedAbout
from router.messages import Cancellable, Handler, Request, Respond
from router.plans import Plans, Service


def route(inner: Handler, plans: Plans, asked_about: AskedAbout) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        head = request.head
        found = plans.routes.find(head.path, head.fields.get(b"host", b""), request.model)
        if head.method in METHODS and not isinstance(found, Service):
            asked = asked_about(request, found, respond)
            if asked is not None:
                return asked
        if isinstance(found, Plan):
            request.plan = found
        else:
            request.service = found
        return inner(request, respond)

    return handle
