"""What holds of a replica's life whatever happens, in whatever order."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controller.local.events import (
    Action,
    Answered,
    Apply,
    Begin,
    Cancel,
    Event,
    Exited,
    Gone,
    Kind,
    Lacking,
    OverMemory,
    Stop,
    Unsupported,
    Wake,
)
from controller.local.lifecycle import Stage
from controller.local.replica import Phase
from tests.controller.local.story import CRASH, PROBE, SPEC, STARTED, Story

SPECS = [SPEC, replace(SPEC, readiness=PROBE, liveness=PROBE), replace(SPEC, startup=PROBE)]

EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Apply, st.sampled_from(SPECS)),
    st.just(Stop()),
    st.just(Wake()),
    st.just(STARTED),
    st.just(CRASH),
    st.just(Exited(None, "no start")),
    st.just(Lacking("none free")),
    st.just(Unsupported("never")),
    st.just(OverMemory(2**40)),
    st.builds(Answered, st.sampled_from(Kind), st.booleans()),
    st.builds(Gone, st.sampled_from([(), (1,)])),
)
STORIES = st.lists(st.tuples(st.floats(0, 400), EVENTS), max_size=60)


def is_possible(story: Story, event: Event) -> bool:
    """A shell says Gone once for each life, after it ended or was called off."""
    return not isinstance(event, Gone) or story.life.stage is Stage.CLEARING


def told(spec_index: int, happened: list[tuple[float, Event]]) -> tuple[Story, list[list[Action]]]:
    story = Story(SPECS[spec_index])
    actions = [story.told]
    for wait_s, event in happened:
        if is_possible(story, event):
            actions.append(story.at(story.now + wait_s, event))
    return story, actions


@given(st.integers(0, 2), STORIES)
def test_no_two_lives_meet(index: int, happened: list[tuple[float, Event]]) -> None:
    alive = True
    story = Story(SPECS[index])
    for wait_s, event in happened:
        if not is_possible(story, event):
            continue
        now = story.now + wait_s
        # Between the events the clock may begin lives, too: each only after the Gone of the last.
        resting = story.life.stage is Stage.RESTING
        story.pass_until(now)
        alive = alive or (resting and story.life.stage is Stage.PREPARING)
        if isinstance(event, Gone):
            alive = False
        for action in story.at(now, event):
            if isinstance(action, Begin):
                assert not alive
                alive = True
            if isinstance(action, Cancel):
                assert alive


@given(st.integers(0, 2), STORIES)
def test_what_is_stopped_comes_to_its_end(index: int, happened: list[tuple[float, Event]]) -> None:
    story, _ = told(index, happened)
    story.at(story.now, Stop())
    for event in (CRASH, Gone()):
        if not story.life.done:
            story.at(story.now + 1, event)
    assert story.life.done
    assert (story.state.phase, story.life.next_at()) == (Phase.STOPPED, None)


@given(st.integers(0, 2), STORIES)
def test_what_is_wanted_waits_for_something_until_it_runs(
    index: int, happened: list[tuple[float, Event]]
) -> None:
    """Never is a replica forgotten: there is a life, or a time, or a reason that only a new spec
    mends.
    """
    story, _ = told(index, happened)
    if story.life.wanted and story.life.stage is Stage.RESTING:
        assert story.life.next_at() is not None or story.state.phase is Phase.FAILED


@given(st.integers(0, 2), STORIES)
def test_only_what_runs_is_ready(index: int, happened: list[tuple[float, Event]]) -> None:
    story, _ = told(index, happened)
    if story.state.ready:
        assert story.life.stage is Stage.RUNNING
        assert story.state.pid is not None
