"""All layers together: what a request meets on its way in and out, in virtual time."""

import asyncio
import gc
import json
from typing import Any

import pytest

from graph.effects import Failure, FailureKind
from graph.tensors.message import Message
from graph.tensors.model import Side
from router.config import DataPlaneConfig
from router.messages import CLIENT_CLOSED, JSON, Head, Request
from router.upstream.script import reply
from tests.router.whole import Sent, Whole, source
from tests.scripts import ensemble, sequence, splitter, step, switch

pytestmark = pytest.mark.looptime

G = source("g", {"root": sequence(step("a"), step("b"))})
QUICK = source("g", {"root": ensemble(step("a"), step("b"))}, timeout=5)
PICKY = source("g", {"root": switch(step("a", condition="x"))})


def cause(sent: Sent) -> Any:
    assert sent.response.headers == JSON
    assert sent.json["error"] == "Failed to process request"
    return sent.json["cause"]


# answers


async def test_a_request_and_its_answer() -> None:
    whole = Whole(G, script={"test/g/root/a": reply(b"1"), "test/g/root/b": reply(b"[2]", 201)})
    sent = whole.send(body=b'{"x":1}', headers=((b"content-type", b"application/json"),))
    assert sent.responses == []
    whole.upstream.answer_all()
    assert (sent.response.status, sent.response.headers) == (201, JSON)
    assert sent.response.body == b"[2]"
    assert [made.call.body for made in whole.upstream.calls] == [b'{"x":1}'] * 2
    assert sent.request.plan is whole.plans.routes.plans["test/g"]


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"POST"], ids=bytes.decode)
@pytest.mark.parametrize("path", [b"/graphs/test/g", b"/graphs/test/g/v1/models/m:predict"])
async def test_any_method_and_any_path_below_runs_the_graph(method: bytes, path: bytes) -> None:
    whole = Whole(G)
    sent = whole.send(path, b"", method=method)
    whole.upstream.answer_all()
    assert sent.response.status == 200


TYPES = {
    "none and JSON": ((), b'{"a":1}', JSON),
    "none and no JSON": ((), b"text", ()),
    "none and nothing": ((), b"", ()),
    "another type": (((b"content-type", b"text/csv"),), b"1", ((b"content-type", b"text/csv"),)),
}


@pytest.mark.parametrize("name", TYPES)
async def test_the_type_of_an_answer(name: str) -> None:
    given, body, expected = TYPES[name]
    whole = Whole(G, script=lambda _: reply(body, 200, given))
    sent = whole.send()
    whole.upstream.answer_all()
    assert sent.response.headers == expected


SENT = {
    "JSON": (b"application/json", b"application/json"),
    "JSON in UTF-8": (b"application/json; charset=utf-8", b"application/json; charset=utf-8"),
    "binary": (b"application/octet-stream", b"application/octet-stream"),
    "none": (None, b"application/json"),
    "what curl -d says": (b"application/x-www-form-urlencoded", b"application/json"),
    "a form with files": (b"Multipart/Form-Data; boundary=x", b"application/json"),
}


@pytest.mark.parametrize("name", SENT)
async def test_the_type_of_a_request_goes_on(name: str) -> None:
    given, expected = SENT[name]
    whole = Whole(G)
    whole.send(headers=() if given is None else ((b"content-type", given),))
    assert dict(whole.upstream.calls[0].call.headers) == {b"content-type": expected}


async def test_tensors_behind_json_are_no_json() -> None:
    whole = Whole(G)
    whole.send(headers=((b"inference-header-content-length", b"2"),))
    assert set(whole.upstream.calls[0].call.headers) == {
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", b"2"),
    }


async def test_what_describes_a_body_goes_on_with_it() -> None:
    headers = (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", b"12"),
        (b"content-encoding", b"gzip"),
        (b"accept", b"*/*"),
    )
    whole = Whole(G)
    whole.send(headers=headers)
    assert set(whole.upstream.calls[0].call.headers) == set(headers[:3])


async def test_headers_that_the_settings_name_go_on() -> None:
    config = DataPlaneConfig(propagate_headers=("^X-",))
    whole = Whole(G, config=config)
    whole.send(headers=((b"x-tenant", b"t"), (b"cookie", b"c"), (b"x-user", b"u")))
    assert whole.upstream.calls[0].call.headers == (*JSON, (b"x-tenant", b"t"), (b"x-user", b"u"))


# failures


async def test_no_graph_here() -> None:
    whole = Whole(G)
    sent = whole.send(b"/graphs/test/other")
    assert sent.response.status == 404
    assert cause(sent) == "no graph is served here: /graphs/test/other"


async def test_a_long_path_is_not_said_back_whole() -> None:
    whole = Whole(G)
    sent = whole.send(b"/" + b"x" * 60_000)
    assert len(sent.response.body) < 400


async def test_a_root_switch_without_a_match() -> None:
    whole = Whole(PICKY)
    sent = whole.send()
    assert sent.response.status == 404
    assert cause(sent) == "None of the routes matched with the switch condition"
    assert sent.request.failure is not None
    assert sent.request.failure.kind is FailureKind.NO_MATCH


@pytest.mark.parametrize(("compat", "expected"), [(False, 502), (True, 500)])
async def test_a_failure_has_the_status_of_the_mode(compat: bool, expected: int) -> None:
    failure = Failure(FailureKind.CONNECT, "refused", "test/g/root/a")
    whole = Whole(G, script=lambda _: failure, config=DataPlaneConfig(compat=compat))
    sent = whole.send()
    whole.upstream.answer_all()
    assert sent.response.status == expected
    assert cause(sent) == "refused"


async def test_requests_do_not_share_a_draw() -> None:
    halves = source("g", {"root": splitter(step("a", weight=50), step("b", weight=50))})
    whole = Whole(halves)
    taken = [whole.send().request.decisions[0] for _ in range(200)]
    assert {made.step for made in taken} == {"a", "b"}
    assert len({made.point for made in taken}) == 200


async def test_the_same_generator_draws_the_same() -> None:
    halves = source("g", {"root": splitter(step("a", weight=50), step("b", weight=50))})
    ways = [
        [whole.send().request.decisions[0].step for _ in range(20)]
        for whole in (Whole(halves, seed=7), Whole(halves, seed=7))
    ]
    assert ways[0] == ways[1]


# leaving


async def test_a_client_that_leaves_cancels_every_call_and_is_seen_once_by_each_layer() -> None:
    whole = Whole(QUICK)
    sent = whole.send()
    assert len(whole.upstream.open) == 2
    sent.exchange.cancel()
    sent.exchange.cancel()
    assert whole.upstream.open == []
    assert sent.response.status == CLIENT_CLOSED
    assert [response.status for _, response in whole.logged] == [CLIENT_CLOSED]
    assert whole.count("graphway_requests_total") == 1
    assert whole.count("graphway_requests_total", code="499", graph="test/g") == 1
    assert whole.count("graphway_requests_in_flight") == 0
    await asyncio.sleep(100)  # its limit, had it been kept
    assert len(sent.responses) == 1


async def test_leaving_after_the_answer_changes_nothing() -> None:
    whole = Whole(G)
    sent = whole.send()
    whole.upstream.answer_all()
    sent.exchange.cancel()
    assert sent.response.status == 200


# limits


async def test_the_graphs_limit() -> None:
    whole = Whole(QUICK)
    sent = whole.send()
    await asyncio.sleep(4.9)
    assert sent.responses == []
    await asyncio.sleep(0.2)
    assert sent.response.status == 504
    assert cause(sent) == "no answer within 5 s"
    assert whole.upstream.open == []
    assert len(whole.upstream.cancelled) == 2
    assert sent.request.failure is not None
    assert sent.request.failure.kind is FailureKind.DEADLINE
    assert whole.count("graphway_requests_total", code="504") == 1
    assert whole.count("graphway_requests_total") == 1
    assert whole.count("graphway_requests_in_flight") == 0
    sent.exchange.cancel()
    assert len(sent.responses) == 1


async def test_the_default_limit_is_kserves_write_timeout() -> None:
    whole = Whole(G)
    sent = whole.send()
    await asyncio.sleep(59.9)
    assert sent.responses == []
    await asyncio.sleep(0.2)
    assert sent.response.status == 504


async def test_no_limit() -> None:
    whole = Whole(source("g", {"root": sequence(step("a"))}, routerTimeouts={"serverWrite": 0}))
    sent = whole.send()
    await asyncio.sleep(100_000)
    assert sent.responses == []
    whole.upstream.answer_all()
    assert sent.response.status == 200


ASKED = {
    "the caller's limit is shorter": (b"200", 0.2, "0.2"),
    "leading zeros": (b"000200", 0.2, "0.2"),
    "the graph's limit is shorter": (b"999999999", 5, "5"),
}


@pytest.mark.parametrize("name", ASKED)
async def test_the_callers_limit(name: str) -> None:
    value, limit_s, said = ASKED[name]
    whole = Whole(QUICK)
    sent = whole.send(headers=((b"x-graphway-timeout-ms", value),))
    await asyncio.sleep(limit_s - 0.01)
    assert sent.responses == []
    await asyncio.sleep(0.02)
    assert cause(sent) == f"no answer within {said} s"


async def test_the_callers_limit_where_the_graph_has_none() -> None:
    whole = Whole(source("g", {"root": sequence(step("a"))}, routerTimeouts={"serverWrite": 0}))
    sent = whole.send(headers=((b"x-graphway-timeout-ms", b"1500"),))
    await asyncio.sleep(1.6)
    assert cause(sent) == "no answer within 1.5 s"


BAD = [
    *(b"", b"0", b"000", b"-1", b"+1", b"1.5", b"1e3", b"ten", b"1s", b" 1", b"1 ", b"1\n"),
    *(b"12345678901234567890", b"0x10", "\N{ARABIC-INDIC DIGIT ONE}".encode(), b"\xff"),
]


@pytest.mark.parametrize("value", BAD, ids=repr)
async def test_a_bad_limit_is_the_callers_fault(value: bytes) -> None:
    whole = Whole(QUICK)
    sent = whole.send(headers=((b"x-graphway-timeout-ms", value),))
    assert sent.response.status == 400
    assert cause(sent) == "X-Graphway-Timeout-Ms must be a whole number of milliseconds above 0"
    assert whole.upstream.calls == []
    assert whole.count("graphway_requests_total", code="400") == 1


async def test_an_answer_in_time_leaves_no_limit_behind() -> None:
    whole = Whole(QUICK)
    sent = whole.send()
    await asyncio.sleep(4.9)
    whole.upstream.answer_all()
    await asyncio.sleep(60)
    assert sent.response.status == 200


async def test_one_late_request_does_not_end_others() -> None:
    whole = Whole(QUICK)
    late = whole.send()
    await asyncio.sleep(3)
    young = whole.send()
    await asyncio.sleep(2.5)
    assert late.response.status == 504
    assert young.responses == []
    whole.upstream.answer_all()
    assert young.response.status == 200


# numbers


async def test_numbers_while_requests_run_and_after() -> None:
    both = (
        source("g", {"root": sequence(step("a"))}),
        source("h", {"root": sequence(step("a"))}),
    )
    whole = Whole(*both, script=lambda made: reply(status=200 if "/g/" in made.address else 503))
    for path in (b"/graphs/test/g", b"/graphs/test/g", b"/graphs/test/h"):
        whole.send(path)
    assert whole.count("graphway_requests_in_flight", graph="test/g") == 2
    assert whole.count("graphway_requests_in_flight", graph="test/h") == 1
    assert whole.count("graphway_requests_total") == 0
    whole.upstream.answer_all()
    whole.send(b"/graphs/none/such")
    whole.send(b"/nowhere")
    assert whole.count("graphway_requests_in_flight") == 0
    assert whole.count("graphway_requests_total") == 5
    assert whole.count("graphway_requests_total", graph="test/g", code="200") == 2
    assert whole.count("graphway_requests_total", graph="test/h", code="503") == 1
    assert whole.count("graphway_requests_total", graph="", code="404") == 2
    assert whole.count("graphway_request_duration_seconds", graph="test/g") == 2
    assert whole.count("graphway_request_duration_seconds", graph="") == 2
    assert whole.count("graphway_step_calls_total", graph="test/h", code="503") == 1


async def test_callers_make_no_series() -> None:
    whole = Whole(G)
    for index in range(100):
        whole.send(b"/graphs/x/%d" % index, headers=((b"host", b"h%d" % index),))
    assert len(whole.labels("graphway_requests_total")) == 1


@pytest.mark.parametrize("ready", [True, False])
async def test_probes_are_neither_counted_nor_logged(ready: bool) -> None:
    whole = Whole(G, ready=ready)
    sent = whole.send(b"/readyz", method=b"GET")
    assert sent.response.status == (200 if ready else 503)
    assert whole.count("graphway_requests_total") == 0
    assert whole.logged == []


# names


async def test_a_request_has_its_name_before_anything_is_said_of_it() -> None:
    whole = Whole(G)
    whole.send(b"/nowhere", headers=((b"x-request-id", b"r-1"),))
    whole.send(b"/nowhere")
    named, unnamed = (request.request_id for request, _ in whole.logged)
    assert named == b"r-1"
    assert len(unnamed) == 32


async def test_every_end_is_logged_once() -> None:
    whole = Whole(PICKY, script=lambda _: reply(b'{"y":1}', 202))
    whole.send(body=b'{"x":1}')
    whole.send()
    whole.send(headers=((b"x-graphway-timeout-ms", b"no"),))
    whole.upstream.answer_all()
    assert [response.status for _, response in whole.logged] == [404, 400, 202]
    (request, _) = whole.logged[2]
    assert [(made.node, made.step) for made in request.decisions] == [("test/g/root", "a")]


async def test_without_a_log_requests_run_all_the_same() -> None:
    whole = Whole(G, logging=False)
    sent = whole.send()
    whole.upstream.answer_all()
    assert sent.response.status == 200
    assert whole.count("graphway_requests_total") == 1


# the collector


async def test_a_request_leaves_nothing_to_collect() -> None:
    """Answered, failed, left and late ones alike."""
    whole = Whole(QUICK)
    picky = Whole(PICKY)
    for warm in (whole, picky):
        warm.send()
        warm.upstream.answer_all()
    gc.collect()
    gc.disable()
    try:
        whole.send()
        whole.upstream.answer_all()
        whole.send().exchange.cancel()
        whole.send(headers=((b"x-graphway-timeout-ms", b"x"),))
        whole.send(b"/nowhere")
        picky.send()  # answered before the handler returns
        for each in (whole, picky):
            each.upstream.calls.clear()
            each.logged.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_errors_are_json_whatever_the_path_holds() -> None:
    whole = Whole(G)
    sent = whole.send(b'/"<script>\\')
    assert json.loads(sent.response.body)["cause"] == 'no graph is served here: /"<script>\\'


@pytest.mark.parametrize(
    ("model", "words"),
    [(b"\xff\n", "no graph is called '�\\n' here"), (b"", "the message names no model")],
    ids=["unknown", "none"],
)
async def test_a_message_for_no_graph_is_told_what_it_asked_for(model: bytes, words: str) -> None:
    path = b"/inference.GRPCInferenceService/ModelInfer"
    request = Request(Head(b"POST", path, b"", ()), Message(b"", Side.REQUEST))
    request.model = model
    assert words in cause(Sent(Whole(G), request))


async def test_names_of_steps_that_are_left_out_fit_into_a_header() -> None:
    names = [f"n\u00e4me {number}, 100%" for number in range(200)]
    steps = [{"name": name, "serviceUrl": f"http://{i}.p.test"} for i, name in enumerate(names)]
    root = {"routerType": "Ensemble", "quorum": 1, "steps": [step("good"), *steps]}
    whole = Whole(
        source("g", {"root": root}),
        script=lambda call: reply(b"{}", 200 if call.address.endswith("good") else 500),
    )
    sent = whole.send()
    for call in reversed(whole.upstream.calls):
        call.answer()
    (response,) = sent.responses
    (said,) = [value for name, value in response.headers if name == b"x-graphway-partial"]
    assert said.startswith(b"n%C3%A4me 0, 100%25, n%C3%A4me 1, 100%25, ")
    assert said.endswith(b", ...")
    assert len(said) <= 1024
