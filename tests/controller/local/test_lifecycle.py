"""What becomes of a replica, told as stories on a clock of their own."""

from dataclasses import replace

import pytest

from controller.local.events import (
    Action,
    Apply,
    Begin,
    Cancel,
    Event,
    Exited,
    Gone,
    Kill,
    Kind,
    Lacking,
    OverMemory,
    Preparing,
    Started,
    Stop,
    Terminate,
    Unsupported,
    Wake,
)
from controller.local.replica import Phase, Probe, Reason, TcpSocket
from tests.controller.local.story import (
    ALIVE,
    CRASH,
    HUNG,
    PROBE,
    PROBED,
    READY,
    SPEC,
    STARTED,
    UNREADY,
    Story,
)

OTHER = replace(SPEC, argv=("serve", "--better"))
STARTUP = Probe(TcpSocket(8080), period_s=10, failures=3)
GUARDED = replace(SPEC, liveness=replace(PROBE, period_s=5, failures=2, grace_s=7))


def test_it_begins_at_once() -> None:
    story = Story()
    assert story.told == [Begin(SPEC)]
    assert (story.state.phase, story.state.reason) == (Phase.PENDING, Reason.PREPARING)


def test_what_it_prepares_is_told() -> None:
    story = Story()
    story.at(5, Preparing("collecting numpy"))
    assert (story.state.phase, story.state.message) == (Phase.PENDING, "collecting numpy")
    assert story.state.since == 0


def test_without_probes_it_is_ready_when_it_runs() -> None:
    story = Story().started(2)
    state = story.state
    assert (state.phase, state.since, state.pid) == (Phase.READY, 2, 41)
    assert (dict(state.ports), state.gpus) == ({8080: 20_001}, ("GPU-a",))
    assert story.life.next_at() is None


def test_with_a_readiness_probe_it_is_ready_once_that_answers() -> None:
    story = Story(PROBED).started()
    assert story.state.phase is Phase.STARTING
    assert story.asks(0) == [Kind.READINESS]
    story.at(0.5, UNREADY)
    assert story.state.phase is Phase.STARTING
    assert story.state.message == "its readiness probe fails: /ready answers 503"
    assert story.asks(0.6) == [Kind.READINESS]
    story.at(0.7, READY)
    assert (story.state.phase, story.state.since) == (Phase.READY, 0.7)


def test_an_open_question_is_not_asked_again() -> None:
    story = Story(PROBED).started()
    assert story.asks(0) == [Kind.READINESS]
    assert story.asks(100) == []


def test_what_was_ready_is_not_called_after_as_many_failures_and_later_again() -> None:
    story = Story(PROBED).ready()
    for now in (10, 20, 30):
        assert story.state.phase is Phase.READY
        assert story.asks(now) == [Kind.READINESS]
        story.at(now, UNREADY)
    assert (story.state.phase, story.state.reason) == (Phase.NOT_READY, Reason.UNREADY)
    story.asks(40)
    assert story.at(40, READY) == []
    assert (story.state.phase, story.state.restarts) == (Phase.READY, 0)


def test_nothing_else_is_asked_before_the_startup_probe_succeeds() -> None:
    story = Story(replace(GUARDED, startup=STARTUP, readiness=PROBE)).started()
    assert story.asks(0) == [Kind.STARTUP]
    story.at(1, replace(READY, kind=Kind.STARTUP))
    assert story.state.phase is Phase.STARTING
    assert story.asks(1) == [Kind.LIVENESS, Kind.READINESS]
    story.at(1, READY)
    assert story.state.phase is Phase.READY


def test_a_startup_probe_alone_decides_readiness() -> None:
    story = Story(replace(SPEC, startup=STARTUP)).started()
    story.asks(0)
    story.at(0, replace(READY, kind=Kind.STARTUP))
    assert story.state.phase is Phase.READY


def test_a_startup_probe_that_fails_for_its_periods_ends_the_process() -> None:
    story = Story(replace(SPEC, startup=STARTUP)).started()
    failed = replace(HUNG, kind=Kind.STARTUP)
    assert story.answers(19.9, failed) == []
    assert story.answers(20, failed) == [Terminate()]
    assert story.state.reason == Reason.UNHEALTHY


def test_a_liveness_probe_that_fails_ends_the_process_and_it_starts_again() -> None:
    story = Story(GUARDED).started()
    assert story.state.phase is Phase.READY
    story.asks(0)
    assert story.at(0, HUNG) == []
    story.asks(5)
    assert story.at(5, HUNG) == [Terminate()]
    assert (story.state.phase, story.state.reason) == (Phase.NOT_READY, Reason.UNHEALTHY)
    assert story.life.next_at() == 5 + 7  # the grace of the probe, not of the replica
    assert story.at(12, Wake()) == [Kill()]
    assert story.life.next_at() is None
    story.at(12, Exited(-9, "it was ended by SIGKILL: hm", "SIGKILL"), Gone())
    end = story.state.last_end
    assert end is not None
    assert (end.reason, end.exit_code, end.signal) == (Reason.UNHEALTHY, 137, "SIGKILL")
    assert end.message == "its liveness probe fails: no answer within 1 s"
    assert story.at(12, Wake()) == [Begin(GUARDED)]
    assert story.state.restarts == 1


def test_a_live_process_is_left_alone() -> None:
    story = Story(GUARDED).started()
    for now in range(0, 60, 5):
        assert story.asks(now) == [Kind.LIVENESS]
        assert story.at(now, HUNG if now % 10 else ALIVE) == []
    assert story.state.phase is Phase.READY


def test_a_crash_is_told_and_the_first_restart_comes_at_once() -> None:
    story = Story().started(1)
    story.at(4, CRASH)
    state, end = story.state, story.state.last_end
    assert (state.phase, state.reason) == (Phase.BACKOFF, Reason.ERROR)
    assert (state.pid, dict(state.ports), state.gpus) == (None, {}, ())
    assert end is not None
    assert (end.reason, end.exit_code, end.signal) == (Reason.ERROR, 3, None)
    assert (end.last_lines, end.started, end.ended) == (("loading", "no model"), 1, 4)
    assert story.at(4, Wake()) == []  # its children may live
    story.at(5, Gone())
    assert story.at(5, Wake()) == [Begin(SPEC)]
    assert (story.state.phase, story.state.restarts) == (Phase.PENDING, 1)


def test_who_crashes_again_waits_ever_longer() -> None:
    story = Story()
    pauses: list[float] = []
    now = 0.0
    for _ in range(8):
        story.started(now).crashed(now)
        due = story.life.next_at()
        assert due is not None
        pauses.append(due - now)
        now = due
        story.at(now, Wake())
    assert pauses == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_crash_loop_is_called_so() -> None:
    story = Story().looping()
    assert story.at(9, Wake()) == []  # too early
    assert (story.state.phase, story.state.reason) == (Phase.BACKOFF, Reason.CRASH_LOOP)
    assert story.state.message == ("it ended with status 3: no model; it starts again in 10 s")


def test_a_long_life_is_forgiven_what_came_before() -> None:
    story = Story().looping()
    story.at(10, Wake())
    story.started(10).crashed(610)
    assert story.life.next_at() == 610


ENDS = {
    "a status": (CRASH, Reason.ERROR, 3),
    "a status of nought, though it should have gone on": (
        Exited(0, "it ended"),
        Reason.COMPLETED,
        0,
    ),
    "a signal": (Exited(-11, "SIGSEGV", "SIGSEGV"), Reason.ERROR, 139),
    "the kernel's limit": (Exited(-9, "oom", "SIGKILL", oom=True), Reason.OOM_KILLED, 137),
    "no start": (Exited(None, "no such folder"), Reason.CANNOT_START, None),
}


@pytest.mark.parametrize(("exited", "reason", "code"), ENDS.values(), ids=ENDS)
def test_ends(exited: Exited, reason: Reason, code: int | None) -> None:
    story = Story() if exited.status is None else Story().started()
    story.at(1, exited, Gone())
    assert story.state.last_end is not None
    assert (story.state.last_end.reason, story.state.last_end.exit_code) == (reason, code)
    assert story.state.phase is Phase.BACKOFF


def test_who_holds_too_much_memory_is_killed_and_told_so() -> None:
    story = Story(replace(SPEC, memory_bytes=256 * 2**20)).started()
    assert story.at(3, OverMemory(300 * 2**20)) == [Kill()]
    story.at(3, Exited(-9, "it was ended by SIGKILL", "SIGKILL"), Gone())
    end = story.state.last_end
    assert end is not None
    assert end.reason is Reason.OOM_KILLED
    assert end.message == "its processes hold 300 MiB, and the limit is 256 MiB"


def test_who_lost_its_port_gets_another_at_once_and_it_counts_as_no_crash() -> None:
    story = Story(PROBED)
    for number in range(1, 6):
        story.started(number)
        story.at(number, CRASH)
        assert story.at(number, Gone(taken=(20_001,))) == [Begin(PROBED)]
        assert story.state.restarts == number
    story.started(6)
    story.at(6, CRASH)
    assert story.at(6, Gone(taken=(20_001,))) == []  # that is no accident any more
    assert story.life.next_at() == 6
    assert story.at(6, Wake()) == [Begin(PROBED)]


def test_a_port_that_somebody_takes_after_the_end_of_a_ready_process_is_no_reason() -> None:
    story = Story(PROBED).ready()
    story.at(5, CRASH)
    assert story.at(5, Gone(taken=(20_001,))) == []


def test_without_gpu_it_waits_and_tries_again() -> None:
    story = Story(replace(SPEC, gpus=1))
    story.at(1, Lacking("GPU 0 is held by default/b"), Gone())
    state = story.state
    assert (state.phase, state.reason) == (Phase.PENDING, Reason.INSUFFICIENT_GPU)
    assert state.message == "GPU 0 is held by default/b"
    assert story.life.next_at() == 11
    assert story.at(4, Wake()) == [Begin(story.life.spec)]  # a device was freed
    assert story.state.restarts == 0


def test_what_can_never_run_here_fails_until_it_is_written_differently() -> None:
    story = Story()
    story.at(0, Unsupported("no grpcio"), Gone())
    assert (story.state.phase, story.state.message) == (Phase.FAILED, "no grpcio")
    assert story.life.next_at() is None
    assert story.at(9, Wake()) == []
    assert story.at(9, Apply(SPEC)) == []
    assert story.at(9, Apply(OTHER)) == [Begin(OTHER)]


def test_the_same_again_changes_nothing() -> None:
    story = Story().started()
    before = story.life
    assert story.at(5, Apply(replace(SPEC))) == []
    assert story.life == before


def test_another_spec_ends_the_process_and_then_starts_the_new_one() -> None:
    story = Story().started().crashed(0)
    story.at(0, Wake())
    story.started(0)
    assert story.at(5, Apply(OTHER)) == [Terminate()]
    assert (story.state.phase, story.state.reason) == (Phase.NOT_READY, Reason.REPLACED)
    story.at(6, Exited(-15, "it was ended by SIGTERM", "SIGTERM"))
    assert story.at(7, Gone()) == [Begin(OTHER)]
    assert (story.state.phase, story.state.restarts) == (Phase.PENDING, 0)
    story.started(8).crashed(8)
    assert story.life.next_at() == 8  # it has no history


def test_another_spec_while_it_prepares_begins_anew() -> None:
    story = Story()
    assert story.at(1, Apply(OTHER)) == [Cancel()]
    assert story.at(1, STARTED) == []  # too late
    assert story.at(1, Gone()) == [Begin(OTHER)]


def test_another_spec_does_not_wait_for_the_pause_of_a_crash_loop() -> None:
    story = Story().looping()
    assert story.at(2, Apply(OTHER)) == [Begin(OTHER)]


def test_what_is_stopped_ends_and_nothing_follows() -> None:
    story = Story(PROBED).ready()
    assert story.at(5, Stop()) == [Terminate()]
    assert (story.state.phase, story.life.next_at()) == (Phase.STOPPING, 5 + SPEC.grace_s)
    assert story.at(6, Stop()) == []
    story.at(7, Exited(0, "it ended"))
    assert not story.life.done
    assert story.at(8, Gone()) == []
    assert (story.state.phase, story.life.done) == (Phase.STOPPED, True)
    assert story.life.next_at() is None


def test_who_ignores_the_signal_is_killed_after_the_grace() -> None:
    story = Story().started()
    story.at(5, Stop())
    assert story.at(34, Wake()) == []
    assert story.at(35, Wake()) == [Kill()]


STOPPED_EARLY = {
    "while it prepares": (Story(), [Cancel()]),
    "while it pauses": (Story().looping(), []),
}


@pytest.mark.parametrize(("story", "actions"), STOPPED_EARLY.values(), ids=STOPPED_EARLY)
def test_stopped_without_a_process(story: Story, actions: list[Action]) -> None:
    assert story.at(1, Stop()) == actions
    if actions:
        story.at(1, Gone())
    assert (story.state.phase, story.life.done) == (Phase.STOPPED, True)


def test_a_crash_during_the_stop_is_no_reason_to_start_again() -> None:
    story = Story().started()
    story.at(1, CRASH)
    assert story.at(1, Stop()) == []
    assert story.at(2, Gone()) == []
    assert story.life.done


def test_who_is_wanted_again_before_it_ended_starts_again_afterwards() -> None:
    story = Story().started()
    story.at(1, Stop())
    assert story.at(2, Apply(SPEC)) == []
    story.at(3, Exited(0, "it ended"))
    assert story.at(3, Gone()) == [Begin(SPEC)]


def test_who_is_stopped_while_it_ends_as_unhealthy_does_not_come_back() -> None:
    story = Story(GUARDED).started()
    for now in (0, 5):
        story.asks(now)
        story.at(now, HUNG)
    assert story.at(6, Stop()) == []
    story.at(6, Exited(-15, "it was ended", "SIGTERM"), Gone())
    assert story.life.done


LATE = {
    "an answer": READY,
    "a start": Started(42, {}),
    "an end": CRASH,
    "memory": OverMemory(5),
    "a detail of a preparation": Preparing("x"),
    "a lack": Lacking("x"),
    "a refusal": Unsupported("x"),
}


@pytest.mark.parametrize("event", LATE.values(), ids=LATE)
def test_news_of_a_life_that_ended_are_no_news(event: Event) -> None:
    story = Story(PROBED).looping(1)
    before = story.life
    assert story.at(1, event) == []
    assert story.life == before
