"""Playbooks: a graph in a few words, and the conversation that it should have with its predictors.

A playbook is text, one event a line. The driver is the product's own (`router.execute` over
`router.upstream.script`); a mismatch fails with a diff of the two conversations.

    > root/a {"x":1}            expected: step a of node root is called with this body
    < root/a 200 {"y":2}        given: it answers so; `< root/a timeout: late` fails instead
    x root/b                    expected: the open call of b is cancelled
    ~ 0.5                       given: what waits for 0.5 seconds has waited enough
    = 200 {"y":2}               expected: the outcome; `= no_match at root: ...` for a failure

A body's type stands before it, as `(text/plain)`, unless it is application/json; `()` is none.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graph.caller import Caller
from graph.compiler import compile
from graph.document import Document
from graph.effects import Answer, Call, Failure, FailureKind, Headers, Input, Payload, Reply
from graph.plan import Plan
from graph.spec import InferenceGraph
from graph.walk import walk
from router.deadlines import Timer
from router.execute import Run
from router.upstream.script import JSON, Script, ScriptedCall, ScriptedUpstream

Fields = dict[str, Any]

_GIVEN = re.compile(r"< (?P<step>\S+) (?:(?P<status>\d{3})|(?P<kind>[a-z_]+):)(?: (?P<rest>.*))?")
_TYPED = re.compile(r"\((?P<type>[^)]*)\)(?: (?P<body>.*))?")


# graphs in a few words


def step(name: str | None = None, *, node: str | None = None, **fields: Any) -> Fields:
    """A step that leads to a node, or to a predictor of its own; other fields as in YAML."""
    target = {"nodeName": node} if node else {"serviceUrl": f"http://{name or 'unnamed'}.test/"}
    return {**({"name": name} if name else {}), **target, **fields}


def sequence(*steps: Fields) -> Fields:
    return {"routerType": "Sequence", "steps": list(steps)}


def switch(*steps: Fields) -> Fields:
    return {"routerType": "Switch", "steps": list(steps)}


def ensemble(*steps: Fields, **fields: Any) -> Fields:
    return {"routerType": "Ensemble", "steps": list(steps), **fields}


def splitter(*steps: Fields) -> Fields:
    return {"routerType": "Splitter", "steps": list(steps)}


def graph(
    root: Fields,
    others: Mapping[str, Fields] | None = None,
    *,
    annotations: dict[str, str] | None = None,
    **nodes: Fields,
) -> InferenceGraph:
    return InferenceGraph.model_validate(
        {
            "metadata": {"name": "g", "namespace": "test", "annotations": annotations or {}},
            "spec": {"nodes": {"root": root, **(others or {}), **nodes}},
        }
    )


def plan(
    root: Fields,
    others: Mapping[str, Fields] | None = None,
    *,
    compat: bool = False,
    **nodes: Fields,
) -> Plan:
    return compile(graph(root, others, **nodes), compat=compat)


# conversations


class _Still(Timer):
    def met(self) -> None:
        self._expired = print  # leads nowhere, as a timer's that is over


def still(limit_s: float, expired: Callable[[], None]) -> Timer:
    """A clock that stands still."""
    return _Still(expired)


@dataclass
class Played:
    """What came of it, for what a playbook does not say."""

    outcome: Answer
    request: Input
    upstream: ScriptedUpstream


def play(
    plan: Plan,
    body: str,
    playbook: str,
    *,
    seed: int = 0,
    headers: Headers = JSON,
    propagated: Headers = (),
    caller: Caller | None = None,
) -> Played:
    """Hold the conversation and compare it with the playbook."""
    expected = [line.strip() for line in playbook.splitlines() if line.strip()]
    request = Input(Payload(Document(_bytes(body)), headers), propagated, seed, caller=caller)
    talk = _Talk(plan)
    run = Run(walk(plan, request), talk, talk.ended, talk.clock)
    run.advance()
    for line in expected:
        if line.startswith("~") and not talk.wait(line):
            break
        if line.startswith("<") and not talk.give(line):
            break  # it did not ask: the comparison says what it did instead
    if expected != talk.lines:
        raise AssertionError("\n".join(["the conversation differs", *_diff(expected, talk.lines)]))
    assert talk.outcome is not None, "a playbook ends with the outcome"
    return Played(talk.outcome, request, talk.upstream)


def run_through(
    plan: Plan, body: bytes, script: Script, *, seed: int = 0
) -> tuple[Answer, ScriptedUpstream]:
    """The outcome when every call is answered by script, the oldest first."""
    upstream = ScriptedUpstream(script)
    outcomes: list[Answer] = []
    request = Input(Payload(Document(body), JSON), (), seed)
    Run(walk(plan, request), upstream, outcomes.append).advance()
    upstream.answer_all()
    (outcome,) = outcomes
    return outcome, upstream


class _Talk:
    """An upstream that writes down what it sees."""

    def __init__(self, plan: Plan) -> None:
        self.lines: list[str] = []
        self.alarms: list[_Alarm] = []
        self.outcome: Answer | None = None
        self.upstream = ScriptedUpstream(lambda _: None)
        self._prefix = f"{plan.key}/"

    def start(self, call: Call, deliver: Any) -> "_Noted":
        self.lines.append(
            f"> {self._short(call.address)} {_typed(call.headers, call.body)}".rstrip()
        )
        return _Noted(self.upstream.start(call, deliver), self)

    def give(self, line: str) -> bool:
        """Deliver the answer of this line to the oldest open call of its step."""
        match = _GIVEN.fullmatch(line)
        assert match, f"not a line of a playbook: {line}"
        address = self._prefix + match["step"]
        waiting = [call for call in self.upstream.open if call.call.address == address]
        if not waiting:
            return False
        self.lines.append(line)
        waiting[0].answer(_answer(match, address))
        return True

    def clock(self, limit_s: float, expired: Callable[[], None]) -> "_Alarm":
        alarm = _Alarm(limit_s, expired)
        self.alarms.append(alarm)
        return alarm

    def wait(self, line: str) -> bool:
        due = [each for each in self.alarms if each.limit_s == float(line[1:])]
        if not due:
            return False
        self.lines.append(line)
        self.alarms.remove(due[0])
        due[0].expired()
        return True

    def cancelled(self, call: Call) -> None:
        self.lines.append(f"x {self._short(call.address)}")

    def ended(self, outcome: Answer) -> None:
        assert self.outcome is None, "an outcome came twice"
        self.outcome = outcome
        if isinstance(outcome, Failure):
            where = self._short(outcome.address)
            self.lines.append(f"= {outcome.kind.value} at {where}: {outcome.cause}")
        else:
            said = _typed(outcome.headers, outcome.document.body)
            self.lines.append(f"= {outcome.status} {said}".rstrip())

    def _short(self, address: str) -> str:
        return address.removeprefix(self._prefix)


@dataclass
class _Alarm:
    """A wait under way."""

    limit_s: float
    expired: Callable[[], None]

    def met(self) -> None:
        self.expired = lambda: None


class _Noted:
    """A call whose cancellation is written down."""

    def __init__(self, call: ScriptedCall, talk: _Talk) -> None:
        self._call = call
        self._talk = talk

    def cancel(self) -> None:
        if self._call in self._talk.upstream.open:
            self._talk.cancelled(self._call.call)
        self._call.cancel()


def _answer(match: re.Match[str], address: str) -> Answer:
    rest = match["rest"] or ""
    if match["kind"]:
        return Failure(FailureKind(match["kind"]), rest, address)
    typed = _TYPED.fullmatch(rest)
    if typed is None:
        return Reply(int(match["status"]), JSON, Document(_bytes(rest)))
    headers = ((b"content-type", typed["type"].encode()),) if typed["type"] else ()
    return Reply(int(match["status"]), headers, Document(_bytes(typed["body"] or "")))


def _typed(headers: Headers, body: bytes) -> str:
    text = body.decode(errors="surrogateescape")
    kinds = [value.decode() for name, value in headers if name == b"content-type"]
    assert len(kinds) < 2, f"two types: {kinds}"
    if kinds == ["application/json"]:
        return text
    return f"({''.join(kinds)}) {text}".rstrip()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _diff(expected: list[str], actual: list[str]) -> list[str]:
    return list(
        difflib.unified_diff(expected, actual, "playbook", "what happened", lineterm="", n=99)
    )
