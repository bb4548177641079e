"""A live request that asks which way it went: route in the answer, record on the admin port."""

import json
import re

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually_awaited
from tests.kit.manifests import graph, path
from tests.kit.predictor import Exchange, Predictor
from tests.kit.router import Router
from tests.kit.scripts import Gate, reply, reset

ASK = {"X-Graphway-Explain": "true"}


async def kept(router: Router) -> list[str]:
    """The ids of the records on the admin port."""
    return [each["id"] for each in json.loads(await router.admin("/explain"))["requests"]]


async def test_the_route_and_the_record(predictor: Predictor, serve: Serve) -> None:
    predictor.on("/fails", reply(b"busy", status=503))
    predictor.on("/resets", reset())
    steps = [
        {"name": name, "serviceUrl": predictor.url(f"/{name}")} for name in ("fails", "resets")
    ]
    async with serve(
        graph("g", "Ensemble", *steps), "--workers", "2", env={"GRAPHWAY_EXPLAIN_KEPT": "2"}
    ) as router:
        async with Client.to(router.port) as client:
            plain = await client.ask(request(path("g"), b"{}"))
            for number in range(3):
                asked = await client.ask(
                    request(path("g"), b"{}", headers={**ASK, "X-Request-Id": f"r{number}"})
                )
        assert plain.head.header(b"x-graphway-route") is None
        route = (asked.head.header(b"x-graphway-route") or b"").decode()
        fails, resets, total = route.split(" ")
        assert fails.startswith("root/fails(503;")
        assert resets.startswith("root/resets(reset;")
        assert total.startswith("total(")

        async def all_there() -> bool:
            return await kept(router) == ["r2", "r1"]

        await eventually_awaited(all_there, "the records of the last two")
        said = json.loads(await router.admin("/explain/r2"))
        assert said["route"] == route
        assert [event["answer"].get("status") for event in said["events"]] == [503, None]
        assert (await router.admin("/explain/r0")).startswith('{"error"')


async def test_it_can_be_switched_off(predictor: Predictor, serve: Serve) -> None:
    step = {"serviceUrl": predictor.url("/x")}
    off = {"GRAPHWAY_EXPLAIN": "false"}
    async with serve(graph("g", "Sequence", step), env=off) as router:
        async with Client.to(router.port) as client:
            answer = await client.ask(request(path("g"), b"{}", headers=ASK))
        assert answer.status == 200
        assert answer.head.header(b"x-graphway-route") is None
        assert await kept(router) == []


async def test_a_stream(predictor: Predictor, serve: Serve) -> None:
    gate = Gate()

    async def script(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n")
        await gate.opened()
        exchange.send(b"4\r\nmore\r\n0\r\n\r\n")

    predictor.on("/s", script)
    step = {"name": "s", "serviceUrl": predictor.url("/s")}
    async with serve(graph("g", "Sequence", step)) as router:
        async with Client.to(router.port) as client:
            await client.send(request(path("g"), b"{}", headers={**ASK, "X-Request-Id": "r"}))
            came = await client.arrived(b"some")
            assert re.search(rb"x-graphway-route: root/s\(200;[0-9.]+\+[0-9.]+ms\.\.\.\)", came)
            assert await kept(router) == []
            gate.open()
            assert (await client.response()).body == b"somemore"

        async def there() -> bool:
            return await kept(router) == ["r"]

        await eventually_awaited(there, "the record at the end of the stream")
        said = json.loads(await router.admin("/explain/r"))
        stream = said["events"][0]["answer"]["stream"]
        assert (stream["bytes"], stream["end"]) == (8, "whole")
        assert stream["ended_ms"] >= said["events"][0]["duration_ms"]
        assert re.match(r"root/s\(200;[0-9.]+\+[0-9.]+ms\.\.[0-9.]+ms\) total", said["route"])
