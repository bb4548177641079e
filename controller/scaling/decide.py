"""How many replicas a revision shall have, by its calls: what Knative's autoscaler documents. Pure.

Two averages look at the same load: the stable window's decides in quiet times, the panic window's
takes over in a burst, and while that lasts nothing is taken away. Each decision is made from the
one before it, which carries what must be remembered.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, floor

from controller.scaling.policy import ByRequests, Metric, Policy
from controller.scaling.window import Load

Wishes = tuple[tuple[float, int], ...]  # when it was last wished for, and how many replicas

_ROUNDING = 1e-9  # 2.1 / 0.7 is above 3, and wants 3 replicas nevertheless


class Mode(StrEnum):
    FIXED = "fixed"
    STABLE = "stable"
    PANIC = "panic"


@dataclass(frozen=True, slots=True)
class Decision:
    replicas: int
    mode: Mode = Mode.STABLE
    reason: str = ""  # of the last change
    capped: bool = False  # more were wanted than there may be
    begun_at: float | None = None  # when its first replicas were ready; nothing goes before
    panicked_at: float | None = None
    idle_since: float | None = None
    wishes: Wishes = ()


def begin(policy: Policy, now: float, resumed: int | None = None) -> Decision:
    """The first one. `resumed`: what was decided by a run before this one."""
    if policy.by is None:
        return Decision(policy.least, Mode.FIXED, "the number is fixed")
    if resumed is not None:
        return Decision(policy.bounded(resumed), reason="as it was before", begun_at=now)
    initial = policy.by.initial if isinstance(policy.by, ByRequests) else policy.least
    return Decision(policy.bounded(initial), reason="a new revision")


def rebound(policy: Policy, before: Decision, now: float) -> Decision:
    """The same decision under another policy."""
    if policy.by is None:
        return begin(policy, now)
    mode = Mode.STABLE if before.mode is Mode.FIXED else before.mode
    replicas = policy.bounded(before.replicas)
    if replicas == before.replicas:
        return replace(before, mode=mode)
    return replace(before, replicas=replicas, mode=mode, reason="the bounds were changed")


def by_requests(
    policy: Policy,
    by: ByRequests,
    load: Load | None,
    held: int,
    ready: int,
    before: Decision,
    now: float,
) -> Decision:
    """`load` is None while nothing was measured; `held`: calls that wait for a replica just now."""
    begun_at = before.begun_at
    if begun_at is None and ready >= policy.bounded(by.initial):
        begun_at = now
    steady, burst = _wanted(by, load, max(ready, 1)) if load else (before.replicas, 0)
    panicked_at = before.panicked_at
    if load and _needed(by, load.panic) >= by.panic_threshold * max(ready, 1):
        panicked_at = now
    elif panicked_at is not None and now - panicked_at > by.stable_s:
        panicked_at = None
    wanted = steady
    if panicked_at is not None:
        wanted = max(steady, burst, before.replicas)
    if held:
        wanted = max(wanted, by.activation)
    if begun_at is None:
        wanted = max(wanted, by.initial)
    elif now - begun_at < by.stable_s:
        wanted = max(wanted, min(before.replicas, 1))  # nobody had a whole window to call it
    wishes = remembered(before.wishes, now, wanted, by.delay_s)
    wanted = max(wish for _, wish in wishes)
    idle_since = None
    if not wanted and before.replicas:
        idle_since = now if before.idle_since is None else before.idle_since
        wanted = int(now - idle_since < by.linger_s)
    return changed(
        policy,
        replace(
            before,
            mode=Mode.STABLE if panicked_at is None else Mode.PANIC,
            begun_at=begun_at,
            panicked_at=panicked_at,
            idle_since=idle_since,
            wishes=wishes if by.delay_s else (),
        ),
        wanted,
        _reason(by, load, held, panicked_at is not None),
    )


def changed(policy: Policy, before: Decision, wanted: int, reason: str) -> Decision:
    """With so many replicas, within the bounds. The reason is told with a change only."""
    replicas = policy.bounded(wanted)
    if replicas == before.replicas:
        return replace(before, capped=wanted > policy.most)
    return replace(before, replicas=replicas, capped=wanted > policy.most, reason=reason)


def remembered(wishes: Wishes, now: float, wanted: int, span_s: float) -> Wishes:
    """With this one, without those that are older than the span."""
    kept = tuple(wish for wish in wishes if wish[0] >= now - span_s)
    if kept and kept[-1][1] == wanted:
        kept = kept[:-1]  # the same again: only its last time counts
    return (*kept, (now, wanted))


def _wanted(by: ByRequests, load: Load, ready: int) -> tuple[int, int]:
    """By the stable and by the panic window, each within the rates of change."""
    most, least = ceil(by.max_up * ready), floor(ready / by.max_down)
    steady, burst = _needed(by, load.stable), _needed(by, load.panic)
    # A call that was over between two samples keeps the last replica, too.
    steady = max(steady, int(load.active))
    wanted = [
        min(max(needed, by.activation if needed else 0, least), most) for needed in (steady, burst)
    ]
    return wanted[0], wanted[1]


def _needed(by: ByRequests, load: float) -> int:
    return ceil(load / by.target - _ROUNDING)


def _reason(by: ByRequests, load: Load | None, held: int, panicking: bool) -> str:
    what = "requests per second" if by.metric is Metric.RPS else "concurrent requests"
    if load is None or (held and not load.stable):
        return f"{held} calls wait" if held != 1 else "a call waits"
    if not load.active:
        return f"no request for {by.stable_s} s"
    value, window_s = (load.panic, by.panic_s) if panicking else (load.stable, by.stable_s)
    average = f"{value:.3g} {what} over {window_s} s, {by.target:.3g} wanted of each replica"
    return f"a burst: {average}" if panicking else average
