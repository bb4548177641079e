"""How many replicas a revision shall have, by what they use of CPU and memory. Pure.

As Kubernetes documents its HorizontalPodAutoscaler: the ratio of what is used to what shall be
used, with a tolerance, scaled down only when nothing has asked for more for a while. Replicas of
which nothing was measured never make the change larger.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from controller.scaling.decide import Decision, changed, remembered
from controller.scaling.policy import ByResources, Goal, Policy

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Use:
    """Of one replica."""

    cores: float
    memory_bytes: float

    def of(self, resource: str) -> float:
        return self.cores if resource == "cpu" else self.memory_bytes


def by_resources(
    policy: Policy, by: ByResources, uses: Sequence[Use], before: Decision, now: float
) -> Decision:
    """`uses`: of the replicas that are ready."""
    current = before.replicas
    if not uses or not current:
        return before
    wanted, goal = max(
        ((_by_goal(by, goal, uses, current), goal) for goal in by.goals), key=lambda found: found[0]
    )
    wanted = min(wanted, max(2 * current, current + 4))  # in one step, as Kubernetes does
    longest_s = max(by.up_window_s, by.down_window_s)
    wishes = remembered(before.wishes, now, wanted, longest_s)
    if wanted < current:
        wanted = min(current, max(wish for at, wish in wishes if at >= now - by.down_window_s))
    elif wanted > current:
        wanted = max(current, min(wish for at, wish in wishes if at >= now - by.up_window_s))
    average = sum(use.of(goal.resource) for use in uses) / len(uses)
    reason = (
        f"each replica uses {amount(goal.resource, average)} of {goal.resource}, "
        f"{amount(goal.resource, goal.target)} wanted ({goal.said})"
    )
    return changed(policy, replace(before, wishes=wishes), wanted, reason)


def amount(resource: str, value: float) -> str:
    """As Kubernetes writes quantities."""
    return f"{round(value * 1000)}m" if resource == "cpu" else f"{round(value / 2**20)}Mi"


def _by_goal(by: ByResources, goal: Goal, uses: Sequence[Use], current: int) -> int:
    used = sum(use.of(goal.resource) for use in uses)
    ratio = used / (goal.target * len(uses))
    if abs(ratio - 1) <= by.tolerance:
        return current
    unmeasured = max(current - len(uses), 0)
    if unmeasured:
        # They are taken for idle where it is about more, and for just right where about less.
        used += 0 if ratio > 1 else goal.target * unmeasured
        careful = used / (goal.target * (len(uses) + unmeasured))
        if abs(careful - 1) <= by.tolerance or (careful > 1) != (ratio > 1):
            return current
        ratio = careful
    return ceil(ratio * (len(uses) + unmeasured) - _ROUNDING)
