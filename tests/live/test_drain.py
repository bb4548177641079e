"""The end of a router: SIGTERM loses nothing, and a second signal does not wait."""

import signal

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.load import Load
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import Gate, hold, never, reply

READYZ = request("/readyz", b"", "GET")


async def unready(router: Router) -> bool:
    async with Client.to(router.port) as client:
        response = await client.ask(READYZ)
    return response.status == 503 and response.body == b"shutting down\n"


async def test_nothing_is_lost_when_a_router_is_told_to_end_under_load(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    async with serve(manifest, "--workers", "2", "--drain-seconds", "1") as router:
        async with Load(router.port, request(path("g")), connections=16) as load:
            await load.answers(300)
            router.signal(signal.SIGTERM)
            await eventually_awaited(lambda: unready(router), "/readyz says 503")
            await load.answers(100)  # it still accepts and answers
            assert await router.ended() == 0
        assert load.lost == []
        assert set(load.statuses) == {200}
        assert len(router.access_log()) == load.answered, "the last lines of the log included"


async def test_a_request_in_flight_is_answered_after_the_last_connection_was_accepted(
    predictor: Predictor, serve: Serve
) -> None:
    gate = Gate()
    predictor.default = hold(gate, reply(b'"late"'))
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    async with (
        serve(manifest, "--workers", "2", "--drain-seconds", "0") as router,
        Client.to(router.port) as client,
    ):
        port = router.port
        await client.send(request(path("g")))
        await eventually(lambda: predictor.served == 1, "it is in flight")
        router.signal(signal.SIGTERM)

        async def refused() -> bool:
            try:
                async with Client.to(port):
                    return False
            except OSError:
                return True

        await eventually_awaited(refused, "no more connections")
        gate.open()
        response = await client.response()
        assert (response.status, response.body, response.closes) == (200, b'"late"', True)
        assert await client.closed() == b""
        assert await router.ended() == 0


async def test_requests_that_outlast_the_drain_are_counted(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.default = never()
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    env = {"GRAPHWAY_FINISH_SECONDS": "0.1"}
    async with (
        serve(manifest, "--workers", "2", env=env) as router,
        Client.to(router.port) as first,
        Client.to(router.port) as second,
        Client.to(router.port),  # has asked for nothing, so nothing is cut off
    ):
        await first.send(request(path("g")))
        await second.send(request(path("g")))
        await eventually(lambda: predictor.served == 2, "two are in flight")
        router.signal(signal.SIGINT)
        assert await router.ended() == 0
        (event,) = router.events("requests were cut off")
        assert (event["level"], event["requests"]) == ("warning", 2)


async def test_a_second_signal_ends_at_once(predictor: Predictor, serve: Serve) -> None:
    predictor.default = never()
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    async with (
        serve(manifest, "--workers", "2", "--drain-seconds", "600") as router,
        Client.to(router.port) as client,
    ):
        await client.send(request(path("g")))
        await eventually(lambda: predictor.served == 1, "it is in flight")
        router.signal(signal.SIGTERM)
        await eventually_awaited(lambda: unready(router), "the drain has begun")
        router.signal(signal.SIGTERM)
        assert await router.ended() == 128 + signal.SIGTERM
        assert [event["requests"] for event in router.events("requests were cut off")] == [1]
        assert await client.closed() == b""
        await eventually(lambda: predictor.cancelled == 1, "the call is given up")
