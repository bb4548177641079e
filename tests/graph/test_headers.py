"""A step's `headers`: what its calls carry."""

from typing import Any

import pytest

from graph.caller import Caller
from graph.document import Document
from graph.effects import Headers, Input, Payload
from graph.walk import walk
from router.execute import Run
from router.upstream.script import ScriptedUpstream, reply
from tests.scripts import plan, sequence, step

JSON: Headers = ((b"content-type", b"application/json"),)
CALLER = Caller(
    path=b"/x",
    headers=(
        (b"authorization", b"Bearer t"),
        (b"x-tag", b"one"),
        (b"x-tag", b"two"),
        (b"x-debug", b"1"),
        (b"accept", b"text/event-stream"),
    ),
)
PROPAGATED: Headers = ((b"x-debug", b"1"), (b"x-tag", b"one"), (b"x-tag", b"two"))


def sent(headers: dict[str, Any], **fields: Any) -> list[str]:
    compiled = plan(sequence(step("a", headers=headers, **fields)))
    request = Input(Payload(Document(b"{}"), JSON), PROPAGATED)
    if compiled.needs_caller:
        request.caller = CALLER
    upstream = ScriptedUpstream(lambda _: reply())
    Run(walk(compiled, request), upstream, lambda _: None).advance()
    return [f"{name.decode()}: {value.decode()}" for name, value in upstream.calls[0].call.headers]


TYPE, DEBUG = "content-type: application/json", "x-debug: 1"
TAGS = ["x-tag: one", "x-tag: two"]
ROWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing written": ({}, [TYPE, DEBUG, *TAGS]),
    "removed, whatever the case": ({"remove": ["X-Debug", "X-None"]}, [TYPE, *TAGS]),
    "copied from the caller": (
        {"copy": ["Authorization"]},
        [TYPE, DEBUG, *TAGS, "authorization: Bearer t"],
    ),
    "copied, and not the caller's": ({"copy": ["X-None"]}, [TYPE, DEBUG, *TAGS]),
    "copied and propagated: once": ({"copy": ["X-Tag"]}, [TYPE, DEBUG, *TAGS]),
    "removed and copied: copied": (
        {"remove": ["X-Debug"], "copy": ["X-Debug"]},
        [TYPE, *TAGS, DEBUG],
    ),
    "set": ({"set": {"X-Tier": "gold"}}, [TYPE, DEBUG, *TAGS, "x-tier: gold"]),
    "set, in place of a propagated one": ({"set": {"X-Tag": "é"}}, [TYPE, DEBUG, "x-tag: é"]),
    "set, in place of a copied one": (
        {"set": {"X-Tag": "3"}, "copy": ["X-Tag"]},
        [TYPE, DEBUG, "x-tag: 3"],
    ),
    "another type of body": (
        {"set": {"Content-Type": "application/x-ndjson"}},
        [DEBUG, *TAGS, "content-type: application/x-ndjson"],
    ),
    "all three": (
        {"remove": ["X-Tag"], "copy": ["Authorization"], "set": {"X-Debug": ""}},
        [TYPE, "authorization: Bearer t", "x-debug: "],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_a_call_carries(row: str) -> None:
    written, expected = ROWS[row]
    assert sent(written) == expected


def test_a_forwarded_call_is_edited_too() -> None:
    assert sent({"copy": ["Authorization"], "remove": ["X-Tag"]}, forward="Caller") == [
        TYPE,
        DEBUG,
        "accept: text/event-stream",
        "authorization: Bearer t",
    ]


def test_only_copies_need_the_caller() -> None:
    assert not plan(sequence(step("a", headers={"set": {"X-A": "b"}}))).needs_caller
    assert plan(sequence(step("a", headers={"copy": ["X-A"]}))).needs_caller
    below = sequence(step("a", data='jmespath: headers."x-a"'))
    assert plan(sequence(step("b", node="n")), n=below).needs_caller
