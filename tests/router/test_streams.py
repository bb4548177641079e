"""The pipe between who reads a body and who writes it: order, back-pressure, one end."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.effects import Failure, FailureKind
from router.streams import End, Ended, Gathering, Pipe, code_of

BROKEN = Failure(FailureKind.RESET, "it broke")


class Far:
    """A source that says what it was asked, and a sink that keeps what it was told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: list[bytes | str] = []
        self.ends: list[Ended] = []
        self.pipe = Pipe(self, None)
        self.pipe.watch(self.ends.append)

    def hold_back(self) -> None:
        self.asked.append("hold back")

    def go_on(self) -> None:
        self.asked.append("go on")

    def abandon(self) -> None:
        self.asked.append("abandon")

    def data(self, piece: bytes) -> None:
        self.told.append(piece)

    def end(self) -> None:
        self.told.append("end")

    def failed(self, failure: Failure) -> None:
        self.told.append(failure.cause)


@pytest.fixture
def far() -> Far:
    return Far()


def test_what_comes_before_the_start_is_kept_and_held_back(far: Far) -> None:
    far.pipe.data(b"1")
    assert (far.told, far.asked) == ([], ["hold back"])
    assert far.pipe.beginning == b"1"
    far.pipe.start(far)
    assert (far.told, far.asked) == ([b"1"], ["hold back", "go on"])
    far.pipe.data(b"2")
    far.pipe.end()
    assert far.told == [b"1", b"2", "end"]
    assert (far.ends, far.pipe.passed) == ([End.WHOLE], 2)


def test_an_end_before_the_start_is_told_at_the_start(far: Far) -> None:
    far.pipe.data(b"1")
    far.pipe.end()
    assert far.ends == []
    far.pipe.start(far)
    assert (far.told, far.ends) == ([b"1", "end"], [End.WHOLE])


def test_a_break_before_the_start_is_told_at_the_start(far: Far) -> None:
    far.pipe.failed(BROKEN)
    far.pipe.start(far)
    assert (far.told, far.ends) == (["it broke"], [BROKEN])


def test_a_sink_that_is_full_holds_the_source_back(far: Far) -> None:
    far.pipe.start(far)
    far.pipe.pause()
    assert far.pipe.paused
    far.pipe.resume()
    assert far.asked == ["go on", "hold back", "go on"]
    far.pipe.end()
    far.pipe.pause()
    far.pipe.resume()
    assert far.asked == ["go on", "hold back", "go on"], "nobody is left to ask"


def test_a_sink_that_is_full_from_the_start(far: Far) -> None:
    far.pipe.data(b"1")
    taken: list[bytes] = []

    class Full(Far):
        def data(self, piece: bytes) -> None:
            taken.append(piece)
            far.pipe.pause()

    far.pipe.start(Full())
    assert (taken, far.asked) == ([b"1"], ["hold back", "hold back"])


def test_nobody_is_told_after_a_cancellation(far: Far) -> None:
    far.pipe.start(far)
    far.pipe.cancel()
    assert far.asked == ["go on", "abandon"]
    far.pipe.data(b"late")
    far.pipe.end()
    far.pipe.failed(BROKEN)
    far.pipe.cancel()
    assert (far.told, far.ends) == ([], [End.LEFT])


def test_who_has_enough_ends_it_as_well_as_the_last_piece(far: Far) -> None:
    far.pipe.cancel(End.WHOLE)
    assert (far.ends, far.asked) == ([End.WHOLE], ["abandon"])


def test_a_limit_ends_both_sides(far: Far) -> None:
    far.pipe.start(far)
    far.pipe.fail(BROKEN)
    assert far.asked == ["go on", "abandon"]
    assert (far.told, far.ends) == (["it broke"], [BROKEN])


def test_a_sink_that_leaves_at_a_piece_gets_no_other(far: Far) -> None:
    taken: list[bytes] = []

    class Leaving(Far):
        def data(self, piece: bytes) -> None:
            taken.append(piece)
            far.pipe.cancel()

    far.pipe.data(b"1")
    far.pipe.data(b"2")
    far.pipe.start(Leaving())
    assert (taken, far.ends) == ([b"1"], [End.LEFT])


def test_those_who_watch_hear_of_it_from_the_inside_out_and_before_the_sink(far: Far) -> None:
    heard: list[str] = []
    far.pipe.watch(lambda _: heard.append("outer"))
    far.pipe.watch(lambda _: heard.append("outermost" if not far.told else "too late"))
    far.pipe.start(far)
    far.pipe.end()
    assert heard == ["outer", "outermost"]


@pytest.mark.parametrize(
    ("end", "code"), [(End.WHOLE, 201), (End.LEFT, "cancelled"), (BROKEN, "reset")]
)
def test_what_a_streamed_call_counts_as(end: Ended, code: int | str) -> None:
    assert code_of(201, end) == code


WORDS = st.sampled_from(
    ["data", "end", "failed", "start", "pause", "resume", "cancel", "fail", "enough"]
)


@given(words=st.lists(WORDS, max_size=12))
def test_whatever_is_said_in_whatever_order_it_ends_once_and_leaves_nothing(
    words: list[str],
) -> None:
    gc.disable()
    try:
        far = Far()
        pipe, started, sent = far.pipe, False, 0
        for word in words:
            match word:
                case "start":
                    if not started:
                        pipe.start(far)
                    started = True
                case "data":
                    if not pipe.closed:
                        pipe.data(b"x")
                        sent += 1
                case "failed" | "end":
                    if not pipe.closed:
                        pipe.failed(BROKEN) if word == "failed" else pipe.end()
                case "fail":
                    pipe.fail(BROKEN)
                case "enough":
                    pipe.cancel(End.WHOLE)
                case _:
                    getattr(pipe, word)()
        pipe.cancel()
        assert len(far.ends) == 1
        assert pipe.over
        assert pipe.passed == sent
        last = [told for told in far.told if isinstance(told, str)]
        assert len(last) <= 1
        assert far.told[len(far.told) - len(last) :] == last, "nothing after the end"
        far.ends.clear()
        del far.pipe  # the only way from here to there
        gc.collect()
        del far, pipe
        assert gc.collect() == 0
    finally:
        gc.enable()


class Gathered(Far):
    def __init__(self, limit: int) -> None:
        super().__init__()
        self.results: list[bytes | Failure] = []
        self.pipe.start(Gathering(self.pipe, limit, self.results.append))


def test_who_needs_a_body_whole_gathers_it() -> None:
    gathered = Gathered(4)
    gathered.pipe.data(b"12")
    gathered.pipe.data(b"34")
    assert gathered.results == []
    gathered.pipe.end()
    assert gathered.results == [b"1234"]


def test_a_body_that_breaks_is_not_gathered() -> None:
    gathered = Gathered(4)
    gathered.pipe.data(b"12")
    gathered.pipe.failed(BROKEN)
    assert gathered.results == [BROKEN]


def test_a_body_that_is_too_large_is_not_gathered() -> None:
    gathered = Gathered(3)
    gathered.pipe.data(b"12")
    gathered.pipe.data(b"34")
    (failure,) = gathered.results
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.PROTOCOL
    assert gathered.asked[-1] == "abandon"
