"""Google's XML interface for reading, in front of an emulator that has the JSON one only.

The store client speaks XML to Google; the emulator keeps the objects, and says their sizes and
hashes. This translates, and adds nothing.
"""

import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web
from gcp_storage_emulator.server import Server, create_server

MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"


class Google:
    def __init__(self) -> None:
        self._server: Server = create_server("127.0.0.1", 0, in_memory=True)
        self.authorizations: set[str | None] = set()

    async def __aenter__(self) -> Self:
        self._server.start()
        self._emulator = f"http://127.0.0.1:{self._server._api._httpd.server_port}"
        self._session = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_get("/{bucket}", self._list)
        app.router.add_get("/{bucket}/{name:.+}", self._get)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.endpoint = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()
        self._server.stop()

    async def create(self, bucket: str) -> None:
        url = f"{self._emulator}/storage/v1/b?project=p"
        (await self._session.post(url, json={"name": bucket})).raise_for_status()

    async def put(self, bucket: str, name: str, content: bytes) -> None:
        query = f"uploadType=media&name={quote(name, '')}"
        url = f"{self._emulator}/upload/storage/v1/b/{bucket}/o?{query}"
        kind = {"Content-Type": "application/octet-stream"}
        (await self._session.post(url, data=content, headers=kind)).raise_for_status()

    async def _list(self, request: web.Request) -> web.Response:
        self.authorizations.add(request.headers.get("Authorization"))
        prefix = quote(request.query.get("prefix", ""), "")
        url = f"{self._emulator}/storage/v1/b/{request.match_info['bucket']}/o?prefix={prefix}"
        async with self._session.get(url) as answer:
            if answer.status != 200:
                text = "<Error><Code>NoSuchBucket</Code></Error>"
                return web.Response(status=404, text=text)
            found: dict[str, Any] = json.loads(await answer.read())
        rows = "".join(
            f"<Contents><Key>{escape(item['name'])}</Key><Size>{item['size']}</Size>"
            f"<ETag>&quot;{item['etag']}&quot;</ETag>"
            f"<LastModified>2015-10-21T07:28:00.000Z</LastModified></Contents>"
            for item in found.get("items", ())
        )
        return web.Response(text=f"<ListBucketResult>{rows}</ListBucketResult>")

    async def _get(self, request: web.Request) -> web.Response:
        bucket, name = request.match_info["bucket"], quote(request.match_info["name"], "")
        async with self._session.get(f"{self._emulator}/storage/v1/b/{bucket}/o/{name}") as answer:
            if answer.status != 200:
                return web.Response(status=404)
            item = json.loads(await answer.read())
        headers = {"ETag": f'"{item["etag"]}"', "Last-Modified": MODIFIED}
        if request.method == "HEAD":
            return web.Response(headers=headers | {"Content-Length": item["size"]})
        url = f"{self._emulator}/download/storage/v1/b/{bucket}/o/{name}?alt=media"
        asked = {"Range": request.headers["Range"]} if "Range" in request.headers else {}
        async with self._session.get(url, headers=asked) as answer:
            if "Content-Range" in answer.headers:
                headers["Content-Range"] = answer.headers["Content-Range"]
            content = await answer.read()
            return web.Response(status=answer.status, body=content, headers=headers)
