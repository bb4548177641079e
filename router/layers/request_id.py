"""Gives each request a name: the caller's X-Request-Id if it is usable, else a random one."""

import re
from random import Random

from router.messages import Cancellable, Handler, Request, Respond

# Visible ASCII without quotes and backslash: it is written into headers and logs as it is.
_USABLE = re.compile(rb"[!#-\[\]-~]{1,128}")


def request_id(inner: Handler, random: Random) -> Handler:
    bits = random.getrandbits
    usable = _USABLE.fullmatch

    def handle(request: Request, respond: Respond) -> Cancellable:
        given = request.head.fields.get(b"x-request-id")
        if given is not None and usable(given):
            request.request_id = given
        else:
            request.request_id = b"%032x" % bits(128)
        return inner(request, respond)

    return handle
