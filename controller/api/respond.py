"""Answers as bytes: JSON, whatever it is about."""

from collections.abc import Iterable

import msgspec
from aiohttp import web

from controller.store.refs import Json

encode = msgspec.json.Encoder().encode


def answer(body: Json, status: int = 200, warnings: Iterable[str] = ()) -> web.Response:
    response = web.Response(status=status, body=encode(body), content_type="application/json")
    for warning in warnings:
        text = warning.replace("\\", "\\\\").replace('"', '\\"')
        line = "".join(c if c.isprintable() else " " for c in text)
        response.headers.add("Warning", f'299 - "{line}"')
    return response
