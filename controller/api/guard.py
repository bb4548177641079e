"""Who may ask, and how a refusal looks: every answer of the API is JSON, errors are Status objects.

Without a token the API is for this machine, and a browser on this machine runs other people's code:
so the Host must be a name of this machine (a name that was rebound to it is not), and a page of
another origin is refused. No answer ever allows another origin to read it.
"""

import contextlib
import hmac
import ipaddress
import logging
from base64 import b64decode
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from controller.api.respond import answer
from controller.store.errors import ApiError, internal

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Guard = Callable[[Handler], Handler]

_log = logging.getLogger("graphway.api")


def guard(token: str | None) -> Guard:
    """`token`: what every request must bear; None if only this machine can ask."""
    if token == "":
        raise ValueError("an empty token would let everybody in")

    def guarded(handler: Handler) -> Handler:
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                _let_in(request, token)
                return await handler(request)
            except ApiError as error:
                return _refusal(request, error)
            except web.HTTPException:
                raise
            except Exception:
                _log.exception("%s %r failed", request.method, request.path)
                bug = internal("this is a bug in Graphway; its log says more")
                return _refusal(request, bug)

        return answered

    return guarded


def _refusal(request: web.Request, error: ApiError) -> web.Response:
    refused = answer(error.body(), error.code)
    if error.code == 401:
        refused.headers["WWW-Authenticate"] = "Bearer"
    if error.code == 429:
        refused.headers["Retry-After"] = "1"
    if not request.content.is_eof():  # what is left of a body is nobody's request
        refused.force_close()
    return refused


def _let_in(request: web.Request, token: str | None) -> None:
    if token is not None:
        offered = _offered(request.headers.get("Authorization", ""))
        if not hmac.compare_digest(offered, token.encode()):
            raise ApiError(401, "Unauthorized", "Unauthorized: this needs the bearer token")
    elif not _is_here(_host(request.headers.get("Host", ""))):
        message = f"Host {request.headers.get('Host', '')!r} is no name of this machine"
        raise ApiError(403, "Forbidden", f"{message}; use 127.0.0.1, [::1] or localhost")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("Host"):
        raise ApiError(403, "Forbidden", "pages of another origin may not use this API")


def _offered(authorization: str) -> bytes:
    """As a bearer token, or as the password of anybody: kubectl sends no token without TLS, but
    does send what stands in the address of its server.
    """
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode(errors="surrogateescape")
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            return b64decode(rest).partition(b":")[2]
    return b""


def _host(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
