"""A web server that can be told to misbehave: to cut connections, to change a file, to lie.

It keeps what it was asked, so a test can say which bytes were fetched again.
"""

import asyncio
import hashlib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class File:
    content: bytes
    etag: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)  # bytes to send before each of the next cuts
    statuses: list[int] = field(default_factory=list)  # of the next answers, before any 200
    wait: asyncio.Event | None = None  # sends half of what is asked, then waits for it
    length: bool = True  # says how long the answer is


@dataclass(frozen=True)
class Asked:
    path: str
    range: str | None
    headers: dict[str, str]


class Site:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.files: dict[str, File] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[Asked] = []
        self.on_body: Callable[[], None] = lambda: None  # before a body is sent
        self.port = 0

    def put(self, path: str, content: bytes, **rest: object) -> File:
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        self.files[path] = File(content, **{"etag": etag, **rest})  # type: ignore[arg-type]
        return self.files[path]

    def url(self, path: str) -> str:
        host = "https://localhost" if self._tls else "http://127.0.0.1"
        return f"{host}:{self.port}{path}"

    def bodies(self) -> list[str | None]:
        """The ranges that were asked for, but for the first look at each file."""
        return [asked.range for asked in self.asked if asked.range != "bytes=0-0"]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.path_qs, headers.get("range"), headers))
        if to := self.redirects.get(request.path):
            return web.Response(status=302, headers={"Location": to})
        file = self.files.get(request.path)
        if file is None:
            return web.Response(status=404)
        if file.statuses:
            return web.Response(status=file.statuses.pop(0))
        return await self._send(request, file)

    async def _send(self, request: web.Request, file: File) -> web.StreamResponse:
        content, status, size = file.content, 200, len(file.content)
        headers = dict(file.headers)
        if file.etag:
            headers["ETag"] = file.etag
        found = _RANGE.fullmatch(request.headers.get("Range", ""))
        if found and file.ranges:
            start, end = int(found[1]), min(int(found[2] or size - 1), size - 1)
            if start >= size:
                return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
            content, status = content[start : end + 1], 206
            headers["Content-Range"] = f"bytes {start}-{end}/{size}"
        response = web.StreamResponse(status=status, headers=headers)
        if file.length:
            response.content_length = len(content)
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        if request.headers.get("Range") != "bytes=0-0":
            self.on_body()
            if file.cuts:
                await response.write(content[: file.cuts.pop(0)])
                assert request.transport is not None
                request.transport.close()  # what was written is sent, then nothing more
                return response
            if file.wait:
                await response.write(content[: len(content) // 2])
                content = content[len(content) // 2 :]
                await file.wait.wait()
        await response.write(content)
        return response
