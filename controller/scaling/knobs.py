"""What can be tuned about scaling by requests, as Knative names it.

The same knobs come from three places, the later the stronger: Knative's defaults, the ConfigMap
`config-autoscaler`, annotations `autoscaling.knative.dev/...` of a service or a component. Older
annotations are written as one word (`panicWindowPercentage`), and mean the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from controller.scaling.values import (
    Faults,
    Reader,
    number,
    one_of,
    percentage,
    read_all,
    seconds,
    switch,
    whole,
)

CONFIG_MAP = "config-autoscaler"
PREFIX = "autoscaling.knative.dev/"
LONGEST_WINDOW_S = 3600.0
METRICS = ("concurrency", "rps", "cpu", "memory")


@dataclass(frozen=True, slots=True)
class Knobs:
    """Shares are fractions of one, times seconds."""

    metric: str | None = None
    target: float | None = None  # of one replica, before `utilization`
    target_concurrency: float = 100.0  # where nobody names a target
    target_rps: float = 200.0
    utilization: float = 0.7
    stable_s: float = 60.0
    panic_share: float = 0.1  # of the stable window
    panic_threshold: float = 2.0  # wanted over ready replicas
    max_up: float = 1000.0  # replicas after a step over those before it
    max_down: float = 2.0  # the other way round
    grace_s: float = 30.0
    retention_s: float = 0.0
    delay_s: float = 0.0
    to_zero: bool = True
    initial: int = 1
    zero_initial: bool = False
    activation: int = 1
    least: int | None = None
    most: int | None = None  # None and 0: nobody says
    limit: int = 0  # of `most`, whoever says that; 0: none


KNATIVE = Knobs()  # what it does where nobody says anything

_ANNOTATIONS: dict[str, tuple[str, Reader]] = {
    "metric": ("metric", one_of(*METRICS)),
    "target": ("target", number(0.01)),
    "target-utilization-percentage": ("utilization", percentage(1, 100)),
    "window": ("stable_s", seconds(6, LONGEST_WINDOW_S)),
    "panic-window-percentage": ("panic_share", percentage(1, 100)),
    "panic-threshold-percentage": ("panic_threshold", percentage(110, 1000)),
    "scale-to-zero-pod-retention-period": ("retention_s", seconds(0, LONGEST_WINDOW_S)),
    "scale-down-delay": ("delay_s", seconds(0, LONGEST_WINDOW_S)),
    "initial-scale": ("initial", whole(0)),
    "activation-scale": ("activation", whole(1)),
    "min-scale": ("least", whole(0)),
    "max-scale": ("most", whole(0)),
}
# `initial-scale` -> `initialScale`: how Knative wrote them before.
_OLDER = {
    "".join((first, *(word.capitalize() for word in rest))): key
    for key in _ANNOTATIONS
    for first, *rest in (key.split("-"),)
    if rest
}
_CONFIG: dict[str, tuple[str, Reader]] = {
    "container-concurrency-target-percentage": (
        "utilization",
        percentage(1, 100, or_fraction=True),
    ),
    "container-concurrency-target-default": ("target_concurrency", number(0.01)),
    "requests-per-second-target-default": ("target_rps", number(0.01)),
    "stable-window": ("stable_s", seconds(6, LONGEST_WINDOW_S)),
    "panic-window-percentage": ("panic_share", percentage(1, 100)),
    "panic-threshold-percentage": ("panic_threshold", percentage(110, 1000)),
    "max-scale-up-rate": ("max_up", number(1.01)),
    "max-scale-down-rate": ("max_down", number(1.01)),
    "scale-to-zero-grace-period": ("grace_s", seconds()),
    "scale-to-zero-pod-retention-period": ("retention_s", seconds(0, LONGEST_WINDOW_S)),
    "scale-down-delay": ("delay_s", seconds(0, LONGEST_WINDOW_S)),
    "enable-scale-to-zero": ("to_zero", switch),
    "initial-scale": ("initial", whole(0)),
    "allow-zero-initial-scale": ("zero_initial", switch),
    "max-scale": ("most", whole(0)),
    "max-scale-limit": ("limit", whole(0)),
}


def configured(data: Mapping[str, str]) -> tuple[Knobs, Faults]:
    """`data` of the ConfigMap. What it says wrong is as if it were not there."""
    values, faults = read_all(_CONFIG, {key: text.strip() for key, text in data.items()})
    return replace(KNATIVE, **values), faults


def annotated(knobs: Knobs, annotations: Mapping[str, str]) -> tuple[Knobs, Faults]:
    """Faults by the annotations' whole names."""
    written = {
        _OLDER.get(key.removeprefix(PREFIX), key.removeprefix(PREFIX)): key
        for key in annotations
        if key.startswith(PREFIX)
    }
    values, faults = read_all(
        _ANNOTATIONS, {short: annotations[key].strip() for short, key in written.items()}
    )
    return replace(knobs, **values), {written[short]: fault for short, fault in faults.items()}
