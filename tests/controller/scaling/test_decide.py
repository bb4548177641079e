"""Decisions by calls: tables of single steps, and what holds for every one of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.scaling.decide import Decision, Mode, begin, by_requests, rebound
from controller.scaling.policy import ByRequests, ByResources, Goal, Metric, Policy
from controller.scaling.window import Load

TEN = ByRequests(target=10.0)
NOW = 1000.0
FROM_ZERO = Policy(0, 20, TEN)


def quiet(replicas: int, **more: Any) -> Decision:
    """One that has been for long."""
    return Decision(replicas, **({"begun_at": 0.0} | more))


def step(
    load: Load | None,
    before: Decision,
    *,
    policy: Policy = FROM_ZERO,
    held: int = 0,
    ready: int | None = None,
    now: float = NOW,
) -> Decision:
    assert isinstance(policy.by, ByRequests)
    found = before.replicas if ready is None else ready
    return by_requests(policy, policy.by, load, held, found, before, now)


def same(value: float) -> Load:
    return Load(value, value, value > 0)


def by(**changes: Any) -> Policy:
    return replace(FROM_ZERO, by=replace(TEN, **changes))


ROWS: dict[str, tuple[Decision, int, Mode, str]] = {
    "as many as the load needs": (
        step(same(35), quiet(3)),
        4,
        Mode.STABLE,
        "35 concurrent requests over 60 s, 10 wanted of each replica",
    ),
    "as many as it has: nothing is said": (step(same(25), quiet(3)), 3, Mode.STABLE, ""),
    "a share that rounding makes larger needs no further replica": (
        step(same(2.1), quiet(2), policy=by(target=0.7)),
        3,
        Mode.STABLE,
        "2.1 concurrent requests over 60 s, 0.7 wanted of each replica",
    ),
    "requests per second": (
        step(same(25), quiet(2), policy=by(metric=Metric.RPS)),
        3,
        Mode.STABLE,
        "25 requests per second over 60 s, 10 wanted of each replica",
    ),
    "fewer, by half at most": (
        step(same(5), quiet(9)),
        4,
        Mode.STABLE,
        "5 concurrent requests over 60 s, 10 wanted of each replica",
    ),
    "a burst that needs twice as many is panic": (
        step(Load(5, 40, True), quiet(2)),
        4,
        Mode.PANIC,
        "a burst: 40 concurrent requests over 6 s, 10 wanted of each replica",
    ),
    "one that needs less than twice as many is none": (
        step(Load(25, 50, True), quiet(3)),
        3,
        Mode.STABLE,
        "",
    ),
    "no fewer while in panic": (
        step(same(5), quiet(9, panicked_at=NOW - 59)),
        9,
        Mode.PANIC,
        "",
    ),
    "panic ends a stable window after its last reason": (
        step(same(5), quiet(9, panicked_at=NOW - 61)),
        4,
        Mode.STABLE,
        "5 concurrent requests over 60 s, 10 wanted of each replica",
    ),
    "no more than there may be": (
        step(same(500), quiet(2)),
        20,
        Mode.PANIC,
        "a burst: 500 concurrent requests over 6 s, 10 wanted of each replica",
    ),
    "no more at once than the rate allows": (
        step(same(500), quiet(2), policy=by(max_up=3.0)),
        6,
        Mode.PANIC,
        "a burst: 500 concurrent requests over 6 s, 10 wanted of each replica",
    ),
    "the rate counts replicas that are ready": (
        step(same(500), quiet(4), ready=2, policy=by(max_up=3.0)),
        6,
        Mode.PANIC,
        "a burst: 500 concurrent requests over 6 s, 10 wanted of each replica",
    ),
    "one at least while there is any load": (step(same(0.01), quiet(1)), 1, Mode.STABLE, ""),
    "one at least after a call that no sample saw": (
        step(Load(0, 0, True), quiet(1)),
        1,
        Mode.STABLE,
        "",
    ),
    "the last replica lingers": (step(same(0), quiet(1)), 1, Mode.STABLE, ""),
    "until its time is over": (
        step(same(0), quiet(1, idle_since=NOW - 30)),
        0,
        Mode.STABLE,
        "no request for 60 s",
    ),
    "several go before the last one lingers": (
        step(same(0), quiet(2, idle_since=NOW - 29)),
        1,
        Mode.STABLE,
        "no request for 60 s",
    ),
    "a call ends its idleness": (
        step(same(1), quiet(1, idle_since=NOW - 100)),
        1,
        Mode.STABLE,
        "",
    ),
    "a call that waits starts the first replica": (
        step(None, quiet(0), held=1),
        1,
        Mode.STABLE,
        "a call waits",
    ),
    "whatever the windows say": (
        step(same(0), quiet(0), held=3),
        1,
        Mode.STABLE,
        "3 calls wait",
    ),
    "from zero as many as activation takes": (
        step(None, quiet(0), held=1, policy=by(activation=3)),
        3,
        Mode.STABLE,
        "a call waits",
    ),
    "many calls that wait are a burst": (
        step(Load(20, 200, True), quiet(0), held=200),
        20,
        Mode.PANIC,
        "a burst: 200 concurrent requests over 6 s, 10 wanted of each replica",
    ),
    "zero stays zero": (step(same(0), quiet(0)), 0, Mode.STABLE, ""),
    "nothing measured changes nothing": (step(None, quiet(3)), 3, Mode.STABLE, ""),
    "a new revision stays until it was ready": (
        step(same(0), Decision(1, idle_since=NOW - 300), ready=0),
        1,
        Mode.STABLE,
        "",
    ),
    "and a whole window after that": (
        step(same(0), Decision(1, begun_at=NOW - 59, idle_since=NOW - 300)),
        1,
        Mode.STABLE,
        "",
    ),
    "but no longer": (
        step(same(0), Decision(1, begun_at=NOW - 61, idle_since=NOW - 31)),
        0,
        Mode.STABLE,
        "no request for 60 s",
    ),
    "all that it begins with stay until they were ready": (
        step(same(5), Decision(4), ready=3, policy=by(initial=4)),
        4,
        Mode.STABLE,
        "",
    ),
}


@pytest.mark.parametrize(("found", "replicas", "mode", "reason"), ROWS.values(), ids=ROWS)
def test_a_step(found: Decision, replicas: int, mode: Mode, reason: str) -> None:
    assert (found.replicas, found.mode, found.reason) == (replicas, mode, reason)


def test_more_than_there_may_be_is_told() -> None:
    assert step(same(500), quiet(20)).capped
    assert not step(same(200), quiet(20, capped=True)).capped


def test_a_delay_keeps_what_was_wanted_within_it() -> None:
    policy = by(delay_s=120.0)
    found = step(same(40), quiet(4), policy=policy)
    for elapsed in (1, 60, 119):
        found = step(same(25), found, policy=policy, now=NOW + elapsed)
        assert found.replicas == 4
    assert step(same(25), found, policy=policy, now=NOW + 121).replicas == 3


def test_a_delay_remembers_no_more_than_it_needs() -> None:
    policy, found = by(delay_s=3600.0), quiet(4)
    for second in range(100):
        found = step(same(40), found, policy=policy, now=NOW + second)
    assert found.wishes == ((NOW + 99, 4),)


CPU = ByResources((Goal("cpu", 0.5, "50% of 1"),))
BEGUN: dict[str, tuple[Policy, int | None, Decision]] = {
    "with what initial-scale says": (by(initial=3), None, Decision(3, reason="a new revision")),
    "within the bounds": (
        Policy(0, 2, replace(TEN, initial=3)),
        None,
        Decision(2, reason="a new revision"),
    ),
    "with one replica though it may go": (FROM_ZERO, None, Decision(1, reason="a new revision")),
    "with none where that is allowed": (by(initial=0), None, Decision(0, reason="a new revision")),
    "with the least by resources": (Policy(2, 5, CPU), None, Decision(2, reason="a new revision")),
    "with what was decided before": (
        FROM_ZERO,
        0,
        Decision(0, reason="as it was before", begun_at=NOW),
    ),
    "with what is now allowed of that": (
        Policy(1, 4, TEN),
        9,
        Decision(4, reason="as it was before", begun_at=NOW),
    ),
    "with a fixed number": (Policy(3, 3), 1, Decision(3, Mode.FIXED, "the number is fixed")),
}


@pytest.mark.parametrize(("policy", "resumed", "first"), BEGUN.values(), ids=BEGUN)
def test_it_begins(policy: Policy, resumed: int | None, first: Decision) -> None:
    assert begin(policy, NOW, resumed) == first


REBOUND: dict[str, tuple[Policy, Decision, Decision]] = {
    "the same within new bounds": (Policy(1, 9, TEN), quiet(4), quiet(4)),
    "less below a lower bound": (
        Policy(1, 2, TEN),
        quiet(4),
        quiet(2, reason="the bounds were changed"),
    ),
    "fixed from now on": (
        Policy(2, 2),
        quiet(4),
        Decision(2, Mode.FIXED, "the number is fixed"),
    ),
    "no longer fixed": (
        Policy(1, 9, TEN),
        Decision(2, Mode.FIXED),
        Decision(2, Mode.STABLE),
    ),
}


@pytest.mark.parametrize(("policy", "before", "after"), REBOUND.values(), ids=REBOUND)
def test_another_policy(policy: Policy, before: Decision, after: Decision) -> None:
    assert rebound(policy, before, NOW) == after


loads = st.builds(
    lambda stable, panic: Load(stable, panic, stable > 0 or panic > 0),
    st.floats(0, 5000),
    st.floats(0, 5000),
)
bys = st.builds(
    ByRequests,
    st.sampled_from(Metric),
    st.floats(0.01, 1000),
    max_up=st.floats(1.01, 1000),
    max_down=st.floats(1.01, 10),
    panic_threshold=st.floats(1.1, 10),
    linger_s=st.floats(0, 100),
    delay_s=st.sampled_from((0.0, 5.0, 600.0)),
    initial=st.integers(0, 5),
    activation=st.integers(1, 5),
)
policies = st.builds(
    lambda least, more, by: Policy(least, max(least + more, 1), by),
    st.integers(0, 5),
    st.integers(0, 50),
    bys,
)
moments = st.none() | st.floats(900, NOW)


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    policy = draw(policies)
    before = Decision(
        draw(st.integers(policy.least, policy.most)),
        begun_at=draw(moments),
        panicked_at=draw(moments),
        idle_since=draw(moments),
        wishes=tuple((NOW - 2, wish) for wish in draw(st.lists(st.integers(0, 60), max_size=1))),
    )
    return {
        "policy": policy,
        "before": before,
        "held": draw(st.integers(0, 3)),
        "ready": draw(st.integers(0, before.replicas)),
    }


@given(steps(), loads | st.none())
def test_bounds_are_always_kept(row: dict[str, Any], load: Load | None) -> None:
    found = step(load, **row)
    assert row["policy"].least <= found.replicas <= row["policy"].most


@given(steps(), loads)
def test_nothing_goes_while_in_panic(row: dict[str, Any], load: Load) -> None:
    found = step(load, **row)
    assert found.mode is Mode.STABLE or found.replicas >= row["before"].replicas


@given(steps(), loads, st.floats(0, 100), st.floats(0, 100))
def test_more_load_never_means_fewer_replicas(
    row: dict[str, Any], load: Load, stable: float, panic: float
) -> None:
    more = Load(load.stable + stable, load.panic + panic, load.active or stable > 0 or panic > 0)
    assert step(load, **row).replicas <= step(more, **row).replicas


@given(steps(), loads | st.none())
def test_a_call_that_waits_has_a_replica(row: dict[str, Any], load: Load | None) -> None:
    row["held"] = 1
    assert step(load, **row).replicas >= 1


@given(steps(), loads)
def test_no_step_up_is_larger_than_the_rate(row: dict[str, Any], load: Load) -> None:
    policy, before = row["policy"], row["before"]
    most = max(
        policy.least,
        before.replicas,
        policy.by.max_up * max(row["ready"], 1) + 1,
        policy.by.activation,
        policy.by.initial,
        *(wish for _, wish in before.wishes),
    )
    assert step(load, **row).replicas <= most


@settings(deadline=None)  # some thousand steps each
@given(steps(), st.floats(0, 5000))
def test_a_settled_load_has_settled_replicas(row: dict[str, Any], value: float) -> None:
    """Whatever the first ones were."""
    load = same(value)
    row["held"], row["policy"] = 0, without_delay(row["policy"])
    found, now = row["before"], NOW
    for _ in range(400):
        found = step(load, found, policy=row["policy"], now=now)
        now += 1
    again = step(load, found, policy=row["policy"], now=now)
    assert again.replicas == found.replicas


def without_delay(policy: Policy) -> Policy:
    assert isinstance(policy.by, ByRequests)
    return replace(policy, by=replace(policy.by, delay_s=0.0))


@settings(deadline=None)
@given(policies)
def test_nobody_calls_and_the_least_remains(policy: Policy) -> None:
    policy = without_delay(policy)
    found, now = begin(policy, NOW), NOW
    for _ in range(240):
        found = step(same(0), found, policy=policy, now=now)
        now += 1
    assert found.replicas == policy.least
