"""The scripted upstream keeps the promise of every upstream: once, later, never after a cancel."""

from collections.abc import Callable
from functools import partial

import pytest

from graph.effects import Answer, Call, Failure, FailureKind
from graph.plan import Target
from router.upstream.script import JSON, ScriptedUpstream, State, reply


def call(address: str = "test/g/root/a") -> Call:
    return Call(address, Target("t", None), JSON, b"{}", None)


class Asking:
    """Starts calls and keeps what comes back."""

    def __init__(self, upstream: ScriptedUpstream, *addresses: str) -> None:
        self.got: list[tuple[str, Answer]] = []
        self.calls = [
            upstream.start(call(address), partial(self._deliver, address)) for address in addresses
        ]

    def _deliver(self, address: str, answer: Answer) -> None:
        self.got.append((address, answer))

    @property
    def order(self) -> list[str]:
        return [address for address, _ in self.got]


ONE, TWO = reply(b"1"), reply(b"2")


def test_an_answer_waits_until_it_is_asked_for() -> None:
    upstream = ScriptedUpstream({"a": ONE})
    asking = Asking(upstream, "a")
    assert asking.got == []
    assert upstream.open == asking.calls
    asking.calls[0].answer()
    assert asking.got == [("a", ONE)]
    assert upstream.open == []


def test_it_comes_once() -> None:
    asking = Asking(ScriptedUpstream({"a": ONE}), "a")
    asking.calls[0].answer()
    asking.calls[0].answer()
    asking.calls[0].answer(TWO)
    assert asking.got == [("a", ONE)]


def test_not_after_a_cancel() -> None:
    upstream = ScriptedUpstream({"a": ONE, "b": TWO})
    asking = Asking(upstream, "a", "b")
    asking.calls[0].cancel()
    asking.calls[0].cancel()
    upstream.answer_all()
    asking.calls[0].answer()
    asking.calls[1].cancel()  # too late: it has been answered
    assert asking.got == [("b", TWO)]
    assert upstream.cancelled == ["a"]
    assert [made.state for made in asking.calls] == [State.CANCELLED, State.ANSWERED]


def test_answers_in_any_order() -> None:
    upstream = ScriptedUpstream(lambda _: ONE)
    asking = Asking(upstream, "a", "b", "c")
    upstream.answer_all(lambda size: size - 1)
    assert asking.order == ["c", "b", "a"]


def test_what_the_script_holds_is_for_the_test_to_answer() -> None:
    upstream = ScriptedUpstream(lambda made: None if made.address == "a" else TWO)
    asking = Asking(upstream, "a", "b")
    upstream.answer_all()
    assert asking.order == ["b"]
    assert asking.calls[0].held
    with pytest.raises(LookupError, match="nothing is scripted for a: give an answer"):
        asking.calls[0].answer()
    asking.calls[0].answer(ONE)
    assert asking.order == ["b", "a"]
    assert not asking.calls[0].held


def test_another_answer_than_the_scripted_one() -> None:
    asking = Asking(ScriptedUpstream({"a": ONE}), "a")
    asking.calls[0].answer(TWO)
    assert asking.got == [("a", TWO)]


def test_one_answer_after_another() -> None:
    upstream = ScriptedUpstream({"a": [ONE, TWO]})
    asking = Asking(upstream, "a", "a", "a")
    upstream.answer_all()
    assert [answer for _, answer in asking.got] == [ONE, TWO, TWO]


def test_a_step_without_a_script_is_unresolved() -> None:
    upstream = ScriptedUpstream({"b": []})
    asking = Asking(upstream, "a", "b")
    upstream.answer_all()
    for (address, answer), expected in zip(asking.got, "ab", strict=True):
        assert address == expected
        assert answer == Failure(
            FailureKind.UNRESOLVED, f"nothing is scripted for {expected}", expected
        )


def test_calls_are_remembered_as_they_came() -> None:
    upstream = ScriptedUpstream({"a": ONE})
    Asking(upstream, "a", "b")
    assert [made.call.address for made in upstream.calls] == ["a", "b"]
    assert upstream.calls[0].call.body == b"{}"


def test_by_itself_but_never_at_once() -> None:
    later: list[Callable[[], None]] = []
    upstream = ScriptedUpstream(lambda made: None if made.address == "c" else ONE, later.append)
    asking = Asking(upstream, "a", "b", "c")
    assert asking.got == []
    asking.calls[1].cancel()
    for deliver in later:
        deliver()
    assert asking.order == ["a"]
    assert upstream.open == [asking.calls[2]]
