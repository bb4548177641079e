"""Decisions by what replicas use of CPU and memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.scaling.decide import Decision
from controller.scaling.policy import ByResources, Goal, Policy
from controller.scaling.resources import Use, by_resources

CPU = Goal("cpu", 0.5, "50% of 1")
MEMORY = Goal("memory", 100 * 2.0**20, "100Mi")
BY_CPU = ByResources((CPU,))
NOW = 1000.0


def used(*cores: float, mebibytes: float = 0) -> list[Use]:
    return [Use(each, mebibytes * 2**20) for each in cores]


def step(
    uses: list[Use],
    before: int | Decision,
    by: ByResources = BY_CPU,
    *,
    most: int = 20,
    now: float = NOW,
) -> Decision:
    decision = Decision(before) if isinstance(before, int) else before
    return by_resources(Policy(1, most, by), by, uses, decision, now)


ROWS: dict[str, tuple[Decision, int, str]] = {
    "as many as the ratio says": (
        step(used(0.9, 0.9), 2),
        4,
        "each replica uses 900m of cpu, 500m wanted (50% of 1)",
    ),
    "within the tolerance nothing changes": (step(used(0.54, 0.54), 2), 2, ""),
    "fewer at once where nothing was asked for before": (
        step(used(0.1, 0.1, 0.1, 0.1), 4),
        1,
        "each replica uses 100m of cpu, 500m wanted (50% of 1)",
    ),
    "a replica without a measure is idle where about more": (
        step(used(0.9), 2),
        2,
        "",
    ),
    "and just right where about less": (
        step(used(0.1, 0.1), 3),
        2,
        "each replica uses 100m of cpu, 500m wanted (50% of 1)",
    ),
    "more also with some without a measure": (
        step(used(1.0, 1.0), 3),
        4,
        "each replica uses 1000m of cpu, 500m wanted (50% of 1)",
    ),
    "twice as many in a step, or four more": (
        step(used(9.0), 1),
        5,
        "each replica uses 9000m of cpu, 500m wanted (50% of 1)",
    ),
    "the goal that asks for most": (
        step(used(0.1, mebibytes=250), 1, ByResources((CPU, MEMORY))),
        3,
        "each replica uses 250Mi of memory, 100Mi wanted (100Mi)",
    ),
    "never to zero": (step(used(0.0), 1), 1, ""),
    "nothing measured changes nothing": (step([], 3), 3, ""),
}


@pytest.mark.parametrize(("found", "replicas", "reason"), ROWS.values(), ids=ROWS)
def test_a_step(found: Decision, replicas: int, reason: str) -> None:
    assert (found.replicas, found.reason) == (replicas, reason)


def test_fewer_only_when_nothing_asked_for_more_for_the_window() -> None:
    found = step(used(1.0, 1.0), 2)
    assert found.replicas == 4
    for elapsed in (15, 150, 300):
        found = step(used(*[0.1] * 4), found, now=NOW + elapsed)
        assert found.replicas == 4
    assert step(used(*[0.1] * 4), found, now=NOW + 301).replicas == 1


def test_more_only_when_all_of_its_window_asked_for_it() -> None:
    by = ByResources((CPU,), up_window_s=30.0)
    found = step(used(0.5, 0.5), 2, by)
    found = step(used(1.0, 1.0), found, by, now=NOW + 15)
    assert found.replicas == 2
    found = step(used(0.75, 0.75), found, by, now=NOW + 31)
    assert found.replicas == 3


uses = st.lists(st.builds(Use, st.floats(0, 100), st.floats(0, 2.0**34)), max_size=5)


@given(uses, st.integers(1, 20), st.sampled_from(((CPU,), (CPU, MEMORY))))
def test_bounds_are_always_kept(found: list[Use], before: int, goals: tuple[Goal, ...]) -> None:
    assert 1 <= step(found, before, ByResources(goals)).replicas <= 20


@given(uses, st.integers(1, 20), st.floats(1, 10))
def test_more_use_never_means_fewer_replicas(found: list[Use], before: int, times: float) -> None:
    more = [Use(use.cores * times, use.memory_bytes * times) for use in found]
    by = ByResources((CPU, MEMORY))
    assert step(found, before, by).replicas <= step(more, before, by).replicas
