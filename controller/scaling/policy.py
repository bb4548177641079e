"""The words of a policy: how many replicas at least and at most, and by what they are scaled."""

from dataclasses import dataclass
from enum import StrEnum

from graph.problems import Problem


class Metric(StrEnum):
    CONCURRENCY = "concurrency"
    RPS = "rps"


@dataclass(frozen=True, slots=True)
class ByRequests:
    """As Knative's autoscaler. The target is what each replica shall have, on average."""

    metric: Metric = Metric.CONCURRENCY
    target: float = 70.0
    stable_s: int = 60
    panic_s: int = 6
    panic_threshold: float = 2.0
    max_up: float = 1000.0
    max_down: float = 2.0
    linger_s: float = 30.0  # of the last replica, once nobody has called for the stable window
    delay_s: float = 0.0
    initial: int = 1
    activation: int = 1


@dataclass(frozen=True, slots=True)
class Goal:
    """`target`: what each replica shall use of it: cores, or bytes."""

    resource: str  # cpu, memory
    target: float
    said: str  # "80% of 500m"


@dataclass(frozen=True, slots=True)
class ByResources:
    """As a HorizontalPodAutoscaler."""

    goals: tuple[Goal, ...]
    up_window_s: float = 0.0
    down_window_s: float = 300.0
    every_s: float = 15.0
    tolerance: float = 0.1


@dataclass(frozen=True, slots=True)
class Policy:
    least: int = 1
    most: int = 1
    by: ByRequests | ByResources | None = None  # None: always `least`
    problems: tuple[Problem, ...] = ()

    def bounded(self, replicas: int) -> int:
        return min(max(replicas, self.least), self.most)
