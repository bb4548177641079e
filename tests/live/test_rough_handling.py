"""A worker that stands still for a while, and more requests in one write than anybody sends."""

import os
import signal

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually
from tests.kit.load import Load
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import echo

PIPELINED = 10_000


async def test_a_worker_that_stands_still_for_a_while_loses_nothing(
    predictor: Predictor, serve: Serve
) -> None:
    """The other one answers who comes meanwhile; its own clients only wait."""
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    async with serve(manifest, "--workers", "2") as router:
        pids = router.worker_pids()
        async with Load(router.port, request(path("g")), connections=16) as load:
            await load.answers(200)
            os.kill(pids[0], signal.SIGSTOP)
            try:
                for _ in range(20):
                    async with Client.to(router.port) as client:
                        assert (await client.ask(request(path("g")))).status == 200
            finally:
                os.kill(pids[0], signal.SIGCONT)
            await load.answers(200)
        assert load.lost == []
        assert set(load.statuses) == {200}
        assert router.worker_pids() == pids


async def test_ten_thousand_requests_in_one_write_are_answered_in_order(serve: Serve) -> None:
    bodies = [b'{"number": %d}' % number for number in range(PIPELINED)]
    async with Predictor(remembers=False) as predictor:
        predictor.default = echo()
        manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
        async with (
            serve(manifest, "--workers", "1") as router,
            Client.to(router.port) as client,
            Client.to(router.port) as other,
        ):
            client.write(b"".join(request(path("g"), body) for body in bodies))
            for number, body in enumerate(bodies):
                assert (await client.response()).body == body
                if number % 1000 == 0:
                    assert (await other.ask(request(path("g"), b'"beside"'))).body == b'"beside"'
            await eventually(lambda: predictor.served == PIPELINED + 10, "each was called once")
