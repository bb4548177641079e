"""What is kept, fetched, evicted and told, as tables; and that it comes to rest, whatever is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.modelcache.decide import (
    Decision,
    Lying,
    Room,
    Situation,
    State,
    Wanted,
    Why,
    amount,
    decide,
    spare,
)

GIB = 1 << 30


def cache(
    name: str, gib: float = 4, *, made: float = 0, model: str = "", group: str = "disk"
) -> Wanted:
    return Wanted(name, model or f"model-{name}", group, int(gib * GIB), made)


def lies(gib: float = 4, used: float | None = None, *, here: bool = True) -> Lying:
    return Lying(int(gib * GIB), used, here)


@dataclass(frozen=True)
class Row:
    wanted: tuple[Wanted, ...]
    lying: Mapping[str, Lying] = field(default_factory=dict)
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    fetch: tuple[str, ...] = ()
    evict: tuple[str, ...] = ()
    told: Mapping[str, Why] = field(default_factory=dict)
    limit: float = 10


A, B, C = cache("a", made=1), cache("b", made=2), cache("c", made=3)

ROWS = {
    "a new cache is fetched": Row((A,), fetch=("model-a",), told={"a": Why.NEXT}),
    "what is there stays": Row((A,), {"model-a": lies()}, told={"a": Why.HERE}),
    "two that fit are both fetched, the newest first": Row(
        (A, B), fetch=("model-b", "model-a"), told={"a": Why.NEXT, "b": Why.NEXT}
    ),
    "equal URIs share one folder, and its room": Row(
        (cache("a", 8, model="m"), cache("b", 8, model="m")),
        {"m": lies(8)},
        told={"a": Why.HERE, "b": Why.HERE},
    ),
    "a third makes the one that nobody used for longest give way": Row(
        (A, B, C),
        {"model-a": lies(used=50), "model-b": lies(used=40)},
        {"model-c": ("ns/s",)},
        fetch=("model-c",),
        evict=("model-b",),
        told={"a": Why.HERE, "b": Why.GAVE_WAY, "c": Why.NEXT},
    ),
    "a new one counts as used when it was made": Row(
        (A, B, C),
        {"model-a": lies(), "model-b": lies(used=2.5)},
        fetch=("model-c",),
        evict=("model-a",),
        told={"a": Why.GAVE_WAY, "b": Why.HERE, "c": Why.NEXT},
    ),
    "what is in use stays, however long ago it was made": Row(
        (A, B, C),
        {"model-a": lies(used=1), "model-b": lies(used=99)},
        {"model-a": ("ns/s",)},
        fetch=(),
        evict=(),
        told={"a": Why.HERE, "b": Why.HERE, "c": Why.GAVE_WAY},
    ),
    "no room beside what is in use": Row(
        (A, B, C),
        {"model-a": lies(), "model-b": lies()},
        {"model-a": ("ns/s",), "model-b": ("ns/t",)},
        told={"a": Why.HERE, "b": Why.HERE, "c": Why.FULL},
    ),
    "one that can never fit makes nobody give way": Row(
        (A, cache("giant", 12, made=9)),
        {"model-a": lies()},
        told={"a": Why.HERE, "giant": Why.FULL},
    ),
    "a smaller one comes though a larger one before it cannot": Row(
        (cache("large", 7, made=9), A, B),
        {"model-a": lies()},
        {"model-a": ("ns/s",)},
        fetch=("model-b",),
        told={"large": Why.FULL, "a": Why.HERE, "b": Why.NEXT},
    ),
    "in use and evicted before: it comes back, and another goes": Row(
        (A, B, C),
        {"model-a": lies(here=False), "model-b": lies(used=9), "model-c": lies(used=8)},
        {"model-a": ("ns/s",)},
        fetch=("model-a",),
        evict=("model-c",),
        told={"a": Why.NEXT, "b": Why.HERE, "c": Why.GAVE_WAY},
    ),
    "the real size counts once it is known": Row(
        (A, B),
        {"model-a": lies(9, used=5), "model-b": lies(1, used=4)},
        told={"a": Why.HERE, "b": Why.HERE},
    ),
    "larger than it was said, and too large: it goes": Row(
        (A,), {"model-a": lies(11)}, evict=("model-a",), told={"a": Why.FULL}
    ),
    "its size is remembered, so that it does not come again": Row(
        (A,), {"model-a": lies(11, here=False)}, told={"a": Why.FULL}
    ),
    "in use it stays, even above the limit": Row(
        (A, B),
        {"model-a": lies(11)},
        {"model-a": ("ns/s",)},
        told={"a": Why.HERE, "b": Why.FULL},
    ),
    "what could not be fetched makes nobody give way": Row(
        (A, B, C),
        {"model-a": lies(), "model-b": lies()},
        failures={"model-c": "not there"},
        told={"a": Why.HERE, "b": Why.HERE, "c": Why.GAVE_WAY},
    ),
    "with room it is tried again": Row(
        (C,), failures={"model-c": "not there"}, fetch=("model-c",), told={"c": Why.FAILED}
    ),
    "a service waits for it: it is tried again, whoever has to go": Row(
        (A, B, C),
        {"model-a": lies(used=9), "model-b": lies(used=8)},
        {"model-c": ("ns/s",)},
        {"model-c": "not there"},
        fetch=("model-c",),
        evict=("model-b",),
        told={"a": Why.HERE, "b": Why.GAVE_WAY, "c": Why.FAILED},
    ),
    "a group that is not there": Row(
        (Wanted("a", None, "", GIB, 0, "there is no such group"),), told={"a": Why.WRONG}
    ),
    "a model of this machine is used where it lies": Row(
        (Wanted("a", None, "disk", 99 * GIB, 0),), told={"a": Why.HERE}
    ),
    "a group has a limit of its own": Row(
        (A, B, cache("c", 4, made=3, group="other")),
        {"model-a": lies(), "model-b": lies()},
        fetch=("model-c",),
        told={"a": Why.HERE, "b": Why.HERE, "c": Why.NEXT},
    ),
    "one model in two groups is there for both": Row(
        (cache("a", 4, model="m"), cache("b", 4, model="m", group="tiny")),
        {"m": lies(4)},
        told={"a": Why.HERE, "b": Why.HERE},
    ),
}


def situation(row: Row) -> Situation:
    limits = {"disk": int(row.limit * GIB), "other": 4 * GIB, "tiny": GIB}
    users, failures = row.users, row.failures
    return Situation(row.wanted, limits, row.lying, users, frozenset(), failures)


def carried_out(now: Situation, decision: Decision) -> Situation:
    """As if everything went well; a model is as large as its cache says, if nobody knows better."""
    lying = dict(now.lying)
    for model in decision.evict:
        lying[model] = replace(lying[model], here=False)
    for model in decision.fetch:
        said = max(cache.size_bytes for cache in now.wanted if cache.model == model)
        lying[model] = replace(lying.get(model, Lying(said)), here=True)
    return replace(now, lying=lying, failures={})


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_rows(row: Row) -> None:
    now = situation(row)
    decision = decide(now)
    assert decision.fetch == row.fetch
    assert decision.evict == row.evict
    assert {name: verdict.why for name, verdict in decision.verdicts.items()} == row.told
    if not row.failures:
        after = decide(carried_out(now, decision))
        assert (after.fetch, after.evict) == ((), ())  # settled


def test_why_it_does_not_fit_is_said_with_numbers_and_names() -> None:
    row = Row(
        (cache("a", 5), cache("b", 2), cache("large", 12, made=5)),
        {"model-a": lies(5), "model-b": lies(2)},
        {"model-a": ("ns/s",), "model-b": ("ns/t",)},
    )
    verdict = decide(situation(row)).verdicts["large"]
    assert verdict.message == "it needs 12 GiB, 3 GiB free of 10 GiB; in use: a, b"
    assert verdict.state is State.FAILED
    assert decide(situation(row)).refused == {
        "model-large": f"model cache large: {verdict.message}"
    }


def test_why_it_gave_way_is_said() -> None:
    verdict = decide(situation(ROWS["a new one counts as used when it was made"])).verdicts["a"]
    assert (
        verdict.message
        == "it needs 4 GiB of 10 GiB, and gave way to c, b; it comes when it is used"
    )


def test_a_download_on_its_way() -> None:
    now = replace(situation(Row((A,))), loading=frozenset({"model-a"}))
    assert decide(now).verdicts["a"].state is State.LOADING


def test_the_room_of_a_group_is_what_lies_there() -> None:
    row = Row((A, B), {"model-a": lies(3)}, users={"model-a": ("ns/s",)})
    assert decide(situation(row)).rooms["disk"] == Room(10 * GIB, 3 * GIB)
    assert decide(situation(row)).rooms["disk"].free == 7 * GIB
    above = Row((A,), {"model-a": lies(11)}, users={"model-a": ("ns/s",)})
    assert decide(situation(above)).rooms["disk"].free == 0


MODELS = st.sampled_from(["m1", "m2", "m3", "m4", "m5"])
SIZES = st.integers(0, 12)
LYING = st.builds(Lying, SIZES, st.none() | st.floats(1, 100, allow_nan=False), st.booleans())
WANTED = st.builds(
    Wanted,
    name=st.uuids().map(str),
    model=MODELS | st.none(),
    group=st.sampled_from(["disk", "other"]),
    size_bytes=SIZES,
    made_at=st.floats(0, 100, allow_nan=False),
)
SITUATIONS = st.builds(
    Situation,
    wanted=st.lists(WANTED, max_size=8).map(tuple),
    limits=st.fixed_dictionaries({"disk": st.integers(1, 20), "other": st.integers(1, 20)}),
    lying=st.dictionaries(MODELS, LYING),
    users=st.dictionaries(MODELS, st.just(("ns/s",))),
    failures=st.dictionaries(MODELS, st.just("no")),
)


@given(SITUATIONS)
def test_it_comes_to_rest_and_evicts_nothing_in_use(now: Situation) -> None:
    decision = decide(now)
    assert not {model for model in decision.evict if now.users.get(model)}
    settled = replace(now, failures={})
    # A model of two groups that one of them has pinned may prove larger than the other has room
    # for, which takes one more round for each such model.
    for _ in range(len(now.wanted) + 1):
        settled = carried_out(settled, decide(settled))
    assert (decide(settled).fetch, decide(settled).evict) == ((), ())


@given(SITUATIONS)
def test_without_models_in_use_no_group_is_above_its_limit(now: Situation) -> None:
    now = replace(now, users={}, failures={})
    rooms = decide(carried_out(now, decide(now))).rooms
    assert all(room.used <= room.limit for room in rooms.values())


@given(SITUATIONS)
def test_the_order_of_caches_does_not_matter(now: Situation) -> None:
    turned = decide(replace(now, wanted=now.wanted[::-1]))
    decision = decide(now)
    assert (decision.keep, set(decision.fetch), set(decision.evict)) == (
        turned.keep,
        set(turned.fetch),
        set(turned.evict),
    )


SPARE = {
    "no limit": (None, {}, set(), ()),
    "within it": (20, {}, set(), ()),
    "the one used longest ago goes": (8, {}, set(), ("old",)),
    "as many as are needed": (4, {}, set(), ("old", "older")),
    "not those in use": (4, {"old": ("ns/s",)}, set(), ("older", "new")),
    "not those of caches": (4, {}, {"old"}, ("older", "new")),
    "nothing to be had": (1, {"old": ("s",), "older": ("s",)}, {"new"}, ()),
}


@pytest.mark.parametrize(("limit", "users", "kept", "going"), SPARE.values(), ids=SPARE.keys())
def test_models_that_no_cache_keeps(
    limit: int | None,
    users: Mapping[str, tuple[str, ...]],
    kept: set[str],
    going: tuple[str, ...],
) -> None:
    lying = {
        "new": Lying(4, 30),
        "older": Lying(4, 20),
        "old": Lying(4, 10),
        "gone": Lying(99, 1, here=False),
    }
    assert spare(lying, kept, users, limit) == going


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (GIB, "1 GiB"), (3 << 40, "3 TiB")],
)
def test_amounts(size_bytes: int, words: str) -> None:
    assert amount(size_bytes) == words
