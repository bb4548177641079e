"""The admin port: what is served and how it goes, for people, probes and Prometheus.

It only reads. Every answer but `/metrics` is JSON, also errors: `{"error", "cause"}`.
"""

import asyncio
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler

from graph.problems import Located
from router.generation import Generation, ServedGraph
from router.metrics import Snapshot, render

Json = dict[str, Any]

SHUTDOWN_S = 1.0  # whoever watches or follows a log would hold up the end for aiohttp's minute


class Router(Protocol):
    """What the admin port shows."""

    data_url: str

    @property
    def generation(self) -> Generation: ...

    @property
    def ready(self) -> bool: ...

    @property
    def stopping(self) -> bool: ...

    def workers(self) -> dict[str, int]: ...

    def snapshot(self) -> Snapshot: ...

    def explained(self) -> list[bytes]: ...


def admin_server(router: Router, routes: Iterable[web.AbstractRouteDef] = ()) -> web.AppRunner:
    log = logging.getLogger("graphway.admin")
    log.addFilter(_one_line_for_garbage)
    app = admin_app(router, routes)
    # A handler ends when its client leaves: one that follows a log may wait for days for a line.
    return web.AppRunner(
        app,
        access_log=None,
        logger=log,
        shutdown_timeout=SHUTDOWN_S,
        handler_cancellation=True,
    )


def _one_line_for_garbage(record: logging.LogRecord) -> bool:
    """A request that is no HTTP is its sender's fault, and no place in our code explains it."""
    fault = record.exc_info[1] if record.exc_info else None
    if isinstance(fault, HttpProcessingError):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "no HTTP on the admin port: %s", (str(fault).splitlines()[1],)
    return True


def admin_app(router: Router, routes: Iterable[web.AbstractRouteDef] = ()) -> web.Application:
    """`routes`: further ones, for what runs in the same process."""

    async def metrics(request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        # Thousands of steps are megabytes of text: not on the loop that restarts workers.
        body, content_type = await asyncio.to_thread(render, router.snapshot(), accept)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        state = {"ready": router.ready, "stopping": router.stopping, "workers": router.workers()}
        return web.json_response(state, status=200 if router.ready else 503)

    async def graphs(_: web.Request) -> web.Response:
        return web.json_response(_everything(router))

    async def graph(request: web.Request) -> web.Response:
        key = f"{request.match_info['namespace']}/{request.match_info['name']}"
        generation = router.generation
        if served := generation.graphs.get(key):
            return web.json_response(_served(served, router) | _details(served, generation))
        if problems := generation.unserved().get(key):
            return web.json_response(_failed(key, problems))
        raise web.HTTPNotFound(text=f"there is no graph {key}; /graphs lists all")

    async def explained(_: web.Request) -> web.Response:
        body = b'{"requests":[' + b",".join(router.explained()) + b"]}"
        return web.Response(body=body, content_type="application/json")

    async def explained_one(request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        for record in router.explained():
            if json.loads(record)["id"] == wanted:
                return web.Response(body=record, content_type="application/json")
        raise web.HTTPNotFound(text=f"no request {wanted} is kept; /explain lists all that are")

    app = web.Application(middlewares=[_errors_as_json])
    app.add_routes(
        [
            web.get("/metrics", metrics),
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/graphs", graphs),
            web.get("/graphs/{namespace}/{name}", graph),
            web.get("/explain", explained),
            web.get("/explain/{id}", explained_one),
            *routes,
        ]
    )
    return app


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        allow = {"Allow": answer.headers["Allow"]} if "Allow" in answer.headers else None
        body = {"error": answer.reason, "cause": answer.text}
        return web.json_response(body, status=answer.status, headers=allow)


def _everything(router: Router) -> Json:
    generation = router.generation
    return {
        "generation": generation.number,
        "workers": router.workers(),
        "graphs": [_served(graph, router) for _, graph in sorted(generation.graphs.items())]
        + [_failed(key, problems) for key, problems in sorted(generation.unserved().items())],
        "problems": [*_problems(generation.problems)],
        "refused": list(generation.refused),
    }


def _served(graph: ServedGraph, router: Router) -> Json:
    loaded = graph.loaded
    return {
        **_named(loaded.key),
        "state": "stale" if graph.stale else "serving",
        "revision": loaded.revision,
        "since": datetime.fromtimestamp(graph.since, UTC).isoformat(timespec="seconds"),
        "file": loaded.file,
        "line": loaded.line,
        "urls": [f"{router.data_url}/graphs/{loaded.key}"],
        "last_error": _last_error(graph.problems),
        "problems": [*_problems(graph.problems)],
    }


def _failed(key: str, problems: list[Located]) -> Json:
    return {
        **_named(key),
        "state": "failed",
        "file": problems[0].file,
        "line": problems[0].line,
        "urls": [],
        "last_error": _last_error(problems),
        "problems": [*_problems(problems)],
    }


def _named(key: str) -> Json:
    namespace, _, name = key.partition("/")
    return {"namespace": namespace, "name": name}


def _last_error(problems: Iterable[Located]) -> str | None:
    return next((str(problem) for problem in problems if problem.is_error), None)


def _problems(problems: Iterable[Located]) -> Iterator[Json]:
    for problem in problems:
        yield {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "severity": problem.problem.severity.value,
            "code": problem.problem.code,
            "message": problem.problem.message,
        }


def _details(graph: ServedGraph, generation: Generation) -> Json:
    """Nodes as they were written, and where each target of theirs is."""
    nodes: Mapping[str, Json] = json.loads(graph.loaded.source.manifest)["spec"]["nodes"]
    namespace = graph.loaded.key.partition("/")[0]
    targets: dict[str, Json] = {}
    for node in nodes.values():
        for step in node.get("steps") or ():
            if url := step.get("serviceUrl"):
                targets[url] = {"url": url}
            elif service := step.get("serviceName"):
                name = f"{namespace}/{service}"
                endpoint = generation.endpoints.get(name)
                targets[name] = {
                    "service": name,
                    "addresses": list(endpoint.addresses) if endpoint else [],
                    "path": endpoint.path if endpoint else None,
                }
    return {"nodes": nodes, "targets": list(targets.values())}
