"""Answers as bytes: JSON, whatever it is about."""

from collections.abc import Iterable
from itertools import islice

import msgspec
from aiohttp import web

from controller.store.refs import Json

encode = msgspec.json.Encoder().encode

# Clients bound the headers that they take: aiohttp's at 8,190 bytes a line, Go's at 1 MiB in all.
MAX_WARNING = 1024  # letters of each
MAX_WARNINGS = 16


def answer(body: Json, status: int = 200, warnings: Iterable[str] = ()) -> web.Response:
    response = web.Response(status=status, body=encode(body), content_type="application/json")
    for warning in islice(warnings, MAX_WARNINGS):
        line = "".join(c if c.isprintable() else " " for c in warning[:MAX_WARNING])
        line = line.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{line}"')
    return response
