"""A running API on a loopback port, and a client that speaks JSON to it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, web

from controller.api.logs import LogRequest, Logs
from controller.api.routes import routes
from controller.store.errors import ApiError
from controller.store.own_kinds import ALL_KINDS
from controller.store.refs import Json
from controller.store.store import Store

KSERVE = "/apis/serving.kserve.io/v1beta1"
SERVICES = f"{KSERVE}/namespaces/default/inferenceservices"
IRIS = f"{SERVICES}/iris"
CONFIGS = "/api/v1/namespaces/default/configmaps"
JSON = {"Content-Type": "application/json"}
CONFIG_MAP = next(kind for kind in ALL_KINDS if kind.name == "ConfigMap")
KUBECTL = Path(sys.executable).with_name("kubectl")


def iris(**metadata: Any) -> Json:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris"} | metadata,
        "spec": {"predictor": {"sklearn": {"storageUri": "s3://models/iris"}}},
    }


def config(name: str = "c", **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def some_logs(wanted: LogRequest) -> AsyncIterator[bytes]:
    if wanted.component == "explainer":
        raise ApiError(404, "NotFound", "there is no explainer")
    asked = f"{wanted.about.name} {wanted.component} {wanted.container} {wanted.tail}"
    yield f"{asked} follow={wanted.follow}\n".encode()
    yield b"the second line\n"


@dataclass
class Api:
    url: str
    store: Store
    session: ClientSession
    home: Path
    environment: dict[str, str] = field(default_factory=dict)  # of kubectl

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Json]:
        async with self.session.request(method, self.url + path, **options) as response:
            return response.status, json.loads(await response.read())

    async def ok(self, method: str, path: str, **options: Any) -> Json:
        status, body = await self.call(method, path, **options)
        assert status in (200, 201), body
        return body

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Status and reason; checks that the body is a Status that says the same."""
        status, body = await self.call(method, path, **options)
        assert (body["kind"], body["status"], body["code"]) == ("Status", "Failure", status), body
        return status, body["reason"]

    async def patch(self, path: str, kind: str, body: Any, **query: str) -> tuple[int, Json]:
        return await self.call(
            "PATCH",
            path,
            params=query,
            data=json.dumps(body),
            headers={"Content-Type": f"application/{kind}"},
        )

    async def kubectl(self, *words: str, stdin: str = "") -> str:
        """Its output, once it has done well."""
        code, out = await self.try_kubectl(*words, stdin=stdin)
        assert code == 0, out
        return out

    async def try_kubectl(self, *words: str, stdin: str = "") -> tuple[int | None, str]:
        process = await self.start_kubectl(*words)
        out, _ = await process.communicate(stdin.encode())
        return process.returncode, out.decode()

    async def start_kubectl(self, *words: str) -> asyncio.subprocess.Process:
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"]} | self.environment
        return await asyncio.create_subprocess_exec(
            *(str(KUBECTL), "--server", self.url, *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )


async def lines_of(response: ClientResponse, number: int) -> list[Json]:
    return [json.loads(await response.content.readline()) for _ in range(number)]


@asynccontextmanager
async def running(
    folder: Path, token: str | None = None, logs: Logs = some_logs, **options: Any
) -> AsyncIterator[Api]:
    store = Store(folder / "state.db", ALL_KINDS, clock=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    app = web.Application()
    app.add_routes(routes(store, logs=logs, token=token, **options))
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=1,
        handler_cancellation=True,
        lingering_time=0.1,  # for what comes after a refusal; nobody here has to see it off
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0]
    try:
        async with ClientSession() as session:
            yield Api(f"http://127.0.0.1:{port}", store, session, folder)
    finally:
        store.changes.close()
        await runner.cleanup()
        store.close()
