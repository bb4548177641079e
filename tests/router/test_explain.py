"""X-Graphway-Explain: the route in the answer, and the whole record for the admin port."""

import asyncio
import json
import re
from typing import Any

import pytest

from graph.effects import Headers
from router.config import DataPlaneConfig
from router.messages import CLIENT_CLOSED
from router.upstream.script import reply
from tests.router.whole import Sent, Whole, source
from tests.scripts import Fields, ensemble, sequence, splitter, step, switch

ASK: Headers = ((b"x-graphway-explain", b"true"),)
TIMES = re.compile(r"[0-9.]+(?=ms)|[0-9.]+(?=\+)")


def route(sent: Sent) -> str | None:
    """Without its times."""
    found = dict(sent.response.headers).get(b"x-graphway-route")
    return None if found is None else TIMES.sub("#", found.decode())


def record(whole: Whole) -> Any:
    (kept,) = whole.explained
    return json.loads(kept)


NESTED: dict[str, Fields] = {
    "root": switch(step("no", condition="y"), step("both", condition="x", node="both")),
    "both": ensemble(step("one"), step("drawn", node="drawn")),
    "drawn": splitter(step("all", weight=100), step("none", weight=0)),
}


async def test_the_route_of_a_request_through_nested_nodes() -> None:
    whole = Whole(source("g", NESTED))
    sent = whole.send(body=b'{"x":1}', headers=ASK)
    whole.upstream.answer_all()
    assert route(sent) == (
        "root>both both/one(200;#+#ms) drawn>all drawn/all(200;#+#ms) total(#ms)"
    )
    assert sent.response.status == 200


async def test_the_record_of_a_request() -> None:
    whole = Whole(source("g", NESTED), script=lambda _: reply(b'{"a":1}'))
    ids = ((b"x-request-id", b"r-1"), (b"cookie", b"s=1"))
    sent = whole.send(body=b'{"x":1}', headers=(*ASK, *ids))
    whole.upstream.answer_all()
    said = record(whole)
    assert (said["id"], said["graph"]) == ("r-1", "test/g")
    assert said["request"]["body"] == '{"x":1}'
    assert said["request"]["headers"]["cookie"] == "(hidden)"
    assert [event["event"] for event in said["events"]] == [
        *("condition", "condition", "call", "draw", "call"),
    ]
    assert said["events"][0]["why"] == "the body has no `y`, only `x`"
    assert said["events"][2]["answer"]["body"] == '{"a":1}'
    assert said["outcome"]["status"] == 200
    assert said["route"] == dict(sent.response.headers)[b"x-graphway-route"].decode()


@pytest.mark.parametrize("value", [None, b"false", b"1", b""])
async def test_who_does_not_ask_is_told_nothing(value: bytes | None) -> None:
    whole = Whole(source("g", NESTED))
    headers = () if value is None else ((b"x-graphway-explain", value),)
    sent = whole.send(body=b'{"x":1}', headers=headers)
    whole.upstream.answer_all()
    assert route(sent) is None
    assert (sent.request.trace, whole.explained) == (None, [])


async def test_it_can_be_switched_off() -> None:
    whole = Whole(source("g", NESTED), config=DataPlaneConfig(explain=False))
    sent = whole.send(body=b'{"x":1}', headers=ASK)
    whole.upstream.answer_all()
    assert (route(sent), whole.explained) == (None, [])


async def test_a_request_for_no_graph_has_no_route() -> None:
    whole = Whole(source("g", NESTED))
    assert route(whole.send(path=b"/graphs/no/where", headers=ASK)) is None


async def test_nobody_matches() -> None:
    whole = Whole(source("g", NESTED))
    sent = whole.send(body=b"[]", headers=ASK)
    assert (sent.response.status, route(sent)) == (404, "failed(no_match;root) total(#ms)")
    outcome = record(whole)["outcome"]
    assert (outcome["failure"], outcome["at"]) == ("no_match", "test/g/root")


async def test_what_a_client_that_left_had_come_to() -> None:
    whole = Whole(source("g", {"root": sequence(step("a"))}), script=lambda _: None)
    sent = whole.send(headers=ASK)
    sent.exchange.cancel()
    assert sent.response.status == CLIENT_CLOSED
    said = record(whole)
    assert said["outcome"]["status"] == CLIENT_CLOSED
    assert said["events"][0]["answer"]["failure"] == "cancelled"


@pytest.mark.looptime
async def test_what_took_the_time_of_a_request_that_is_too_late() -> None:
    whole = Whole(source("g", {"root": sequence(step("a"), step("b"))}), script=lambda _: None)
    sent = whole.send(headers=(*ASK, (b"x-graphway-timeout-ms", b"100")))
    await asyncio.sleep(0.2)
    assert sent.response.status == 504
    found = dict(sent.response.headers)[b"x-graphway-route"]
    assert found.startswith(b"root/a(cancelled;")
    assert record(whole)["outcome"]["failure"] == "deadline"


async def test_a_record_is_bounded() -> None:
    steps = [step(f"s{index}") for index in range(50)]
    whole = Whole(
        source("g", {"root": ensemble(*steps)}), script=lambda _: reply(b'"%b"' % (b"x" * 9000))
    )
    whole.send(headers=ASK)
    whole.upstream.answer_all()
    (kept,) = whole.explained
    assert len(kept) < 100_000
    assert record(whole)["events"][-1] == {"event": "more"}
