"""Settings that reach each call: the default time limit, and which headers of an answer pass."""

import asyncio

from graph.document import Document
from graph.effects import Answer, Call, Failure, FailureKind, Reply
from graph.plan import Target
from router.config import DataPlaneConfig, UpstreamConfig
from router.counters import Block, Counters
from router.deadlines import Deadlines
from router.upstream.http import HttpUpstream
from tests.kit.predictor import Predictor
from tests.kit.scripts import never, raw

OURS = {
    "Connection": "keep-alive",
    "Content-Length": "2",
    "Date": "Sat, 21 Nov 2026 00:00:00 GMT",
    "Keep-Alive": "timeout=5",
    "Upgrade": "h2c",
    "X-Graphway-Revision": "another",
    "X-Request-Id": "another",
}
NAMED = (*OURS, "Transfer-Encoding", "X-Model")
LINES = "".join(f"{name}: {value}\r\n" for name, value in OURS.items())
ANSWER = f"HTTP/1.1 200 OK\r\n{LINES}X-Model: iris\r\n\r\n{{}}".encode()


async def _ask(config: DataPlaneConfig, url: str) -> Answer:
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    upstream = HttpUpstream(config, Counters(Block.create()), deadlines, loop)
    answered: asyncio.Future[Answer] = loop.create_future()
    call = Call("default/g/root/0", Target(url, url), (), b"{}", None)
    upstream.start(call, answered.set_result)
    try:
        async with asyncio.timeout(10):
            return await answered
    finally:
        upstream.close()
        deadlines.close()


async def test_a_graph_without_a_limit_has_the_one_of_the_settings() -> None:
    async with Predictor() as predictor:
        predictor.default = never()
        config = DataPlaneConfig(upstream=UpstreamConfig(call_timeout_s=0.05))
        answer = await _ask(config, predictor.url("/m"))
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.TIMEOUT


async def test_headers_that_are_ours_to_write_never_pass_whatever_the_setting_names() -> None:
    async with Predictor() as predictor:
        predictor.default = raw(ANSWER)
        answer = await _ask(DataPlaneConfig(pass_response_headers=NAMED), predictor.url("/m"))
    assert isinstance(answer, Reply)
    assert answer.headers == ((b"x-model", b"iris"),)
    assert answer.document.body == Document(b"{}").body
