"""Who gets which share, row by row; and a property of all rows: decided again, nothing changes."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.rollout.decide import Asked, Before, Canary, Health, Rollout, Share, decide

READY, COMING, FAILED, IDLE = Health.READY, Health.COMING, Health.FAILED, Health.IDLE


@dataclass(frozen=True)
class Row:
    asked: Asked
    before: Before
    health: dict[str, Health]
    given: str  # "2:10 1:90"
    keep: str
    rolled: str | None = None
    previous: str | None = None
    meant: str | None = None  # if it differs from what is given


def first(percent: int | None = None) -> Asked:
    return Asked("1", percent)


ONE = Before("1", "1", "1")
TWO = Before("2", "2", "2", "1")
CANARY = Before("2", "2", "1")
UP = {"1": READY, "2": READY, "3": READY}

ROWS: dict[str, Row] = {
    "nothing is there yet": Row(first(), Before(), {}, "", "1"),
    "the first one comes": Row(first(), Before("1"), {"1": COMING}, "", "1"),
    "the first one is ready: all of it": Row(first(), Before("1"), UP, "1:100", "1", "1"),
    "the first one gets all of it, whatever percentage": Row(
        first(10), Before("1"), UP, "1:100", "1", "1"
    ),
    "the second one comes beside the first": Row(
        Asked("2"), ONE, {"1": READY, "2": COMING}, "1:100", "2 1", "1"
    ),
    "the second one is ready: the first one goes": Row(Asked("2"), ONE, UP, "2:100", "2", "2", "1"),
    "the second one fails: it never gets a call": Row(
        Asked("2"), ONE, {"1": READY, "2": FAILED}, "1:100", "2 1", "1"
    ),
    "a third one, while the second one fails: the second one goes": Row(
        Asked("3"),
        Before("2", "1", "1"),
        {"1": READY, "2": FAILED, "3": COMING},
        "1:100",
        "3 1",
        "1",
    ),
    "a canary of 10 comes": Row(
        Asked("2", 10), ONE, {"1": READY, "2": COMING}, "1:100", "2 1", "1"
    ),
    "a canary of 10 is ready": Row(Asked("2", 10), ONE, UP, "2:10 1:90", "2 1", "1"),
    "a canary of 50": Row(Asked("2", 50), CANARY, UP, "2:50 1:50", "2 1", "1"),
    "a canary of 0 runs, uncalled": Row(Asked("2", 0), CANARY, UP, "2:0 1:100", "2 1", "1"),
    "a canary of 100 is rolled out": Row(Asked("2", 100), CANARY, UP, "2:100", "2", "2", "1"),
    "no percentage: it is promoted": Row(Asked("2"), CANARY, UP, "2:100", "2", "2", "1"),
    "a share is taken back from what was rolled out: the one before is started again": Row(
        Asked("2", 20), TWO, {"2": READY}, "2:100", "2 1", "1", "1", "2:20 1:80"
    ),
    "and gets its share once it is ready": Row(
        Asked("2", 20), Before("2", "2", "1", "1"), UP, "2:20 1:80", "2 1", "1", "1"
    ),
    "the older content comes back as it was, with a share: nobody else gets the rest": Row(
        Asked("1", 10), Before("2", "2", "1", "0"), UP, "1:100", "1", "1"
    ),
    "and so it stays": Row(Asked("1", 10), Before("1", "1", "1"), UP, "1:100", "1", "1"),
    "a canary is promoted while it is lost: not before it is back": Row(
        Asked("2"), CANARY, {"1": READY, "2": FAILED}, "1:100", "2 1", "1"
    ),
    "a third one after a canary that was lost: the first one goes on": Row(
        Asked("3"), CANARY, {"1": READY, "2": FAILED, "3": COMING}, "1:100", "3 1", "1"
    ),
    "a canary replaces a canary": Row(
        Asked("3", 10), CANARY, {"1": READY, "2": READY, "3": COMING}, "2:10 1:90", "3 2 1", "1"
    ),
    "the newer canary is ready": Row(
        Asked("3", 10), Before("3", "2", "1"), UP, "3:10 1:90", "3 1", "1"
    ),
    "the canary is lost: its share goes to the other, nobody is promoted": Row(
        Asked("2", 10),
        CANARY,
        {"1": READY, "2": FAILED},
        "1:100",
        "2 1",
        "1",
        meant="2:10 1:90",
    ),
    "the stable one is lost: the canary takes all": Row(
        Asked("2", 0), CANARY, {"2": READY}, "2:100", "2 1", "1", meant="2:0 1:100"
    ),
    "all are lost: shares stay, callers are told": Row(
        Asked("2", 10), CANARY, {"2": FAILED}, "2:10 1:90", "2 1", "1"
    ),
    "what cannot be had leaves all as it was": Row(
        Asked(None, 10), CANARY, UP, "2:10 1:90", "2 1", "1"
    ),
    "the next version after one that was rolled back: the stable one serves until then": Row(
        Asked("3"), CANARY, {"1": READY, "2": READY, "3": COMING}, "1:100", "3 1", "1"
    ),
    "and then it goes": Row(Asked("3"), Before("3", "2", "1"), UP, "3:100", "3", "3", "1"),
    "scaled to zero it keeps its calls": Row(first(), ONE, {"1": IDLE}, "1:100", "1", "1"),
    "an older version again, as it once was": Row(Asked("1"), TWO, UP, "1:100", "1", "1", "2"),
    "after a restart only the newest is started": Row(
        Asked("2", begins=True), ONE, {}, "1:100", "2", "1"
    ),
    "after a restart, the newest fails: the one before is started": Row(
        Asked("2", begins=True), ONE, {"2": FAILED}, "1:100", "2 1", "1"
    ),
    "after a restart, the newest takes long: the one before is started": Row(
        Asked("2"), ONE, {"2": COMING}, "1:100", "2 1", "1"
    ),
    "after a restart, shares that were split are again": Row(
        Asked("2", 10, begins=True), CANARY, {}, "2:10 1:90", "2 1", "1"
    ),
    "what runs goes on while the newest begins": Row(
        Asked("2", begins=True), ONE, {"1": READY, "2": COMING}, "1:100", "2 1", "1"
    ),
    "without room for two, the old one goes first": Row(
        Asked("2", at_once=False), ONE, {"1": READY, "2": COMING}, "1:100", "2", "1"
    ),
    "a named canary comes": Row(
        Asked("1", canaries=[Canary("v2", "2", 20)]), ONE, {"1": READY}, "1:100", "1 2", "1"
    ),
    "a named canary is ready": Row(
        Asked("1", canaries=[Canary("v2", "2", 20)]), ONE, UP, "1:80 2:20", "1 2", "1"
    ),
    "two named canaries": Row(
        Asked("1", canaries=[Canary("v2", "2", 20), Canary("v3", "3", 5)]),
        ONE,
        UP,
        "1:75 2:20 3:5",
        "1 2 3",
        "1",
    ),
    "a named canary is promoted by its name: nothing is started": Row(
        Asked("2"), ONE, UP, "2:100", "2", "2", "1"
    ),
    "a named canary beside two shares": Row(
        Asked("2", 50, [Canary("v3", "3", 20)]), CANARY, UP, "2:40 1:40 3:20", "2 1 3", "1"
    ),
    "only a canary answers": Row(
        Asked("1", canaries=[Canary("v2", "2", 20)]), Before("1"), {"2": READY}, "2:100", "1 2"
    ),
}


def told(shares: tuple[Share, ...]) -> str:
    return " ".join(f"{share.revision}:{share.percent}" for share in shares)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_shares(row: Row) -> None:
    made = decide(row.asked, row.before, row.health)
    assert told(made.given) == row.given
    assert " ".join(made.keep) == row.keep
    assert (made.rolled, made.previous) == (row.rolled, row.previous)
    if not row.asked.canaries:
        assert told(made.meant) == (row.meant if row.meant is not None else row.given)


def after(made: Rollout) -> Before:
    return Before(made.created, made.ready, made.rolled, made.previous)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_decided_again_nothing_changes(row: Row) -> None:
    made = decide(row.asked, row.before, row.health)
    assert decide(row.asked, after(made), row.health) == made


NAMES = st.sampled_from(["1", "2", "3", "4"])
SOME = st.none() | NAMES


@given(
    latest=SOME,
    percent=st.none() | st.integers(0, 100),
    canaries=st.lists(st.tuples(NAMES, st.integers(0, 50)), max_size=2, unique_by=lambda c: c[0]),
    before=st.builds(Before, SOME, SOME, SOME, SOME),
    health=st.dictionaries(NAMES, st.sampled_from(Health)),
    at_once=st.booleans(),
)
def test_shares_are_whole_and_go_to_those_who_answer(
    latest: str | None,
    percent: int | None,
    canaries: list[tuple[str, int]],
    before: Before,
    health: dict[str, Health],
    at_once: bool,
) -> None:
    named = [Canary(f"c{name}", name, share) for name, share in canaries]
    made = decide(Asked(latest, percent, named, at_once), before, health)
    assert not made.given or sum(share.percent for share in made.given) == 100
    assert not made.meant or sum(share.percent for share in made.meant) == 100
    assert all(share.percent >= 0 for share in made.given)
    able = {name for name, found in health.items() if found.answers}
    called = {share.revision for share in made.given if share.percent}
    if able & ({share.revision for share in made.meant} | {name for name, _ in canaries}):
        assert called <= able
    again = decide(Asked(latest, percent, named, at_once), after(made), health)
    assert decide(Asked(latest, percent, named, at_once), after(again), health) == again
