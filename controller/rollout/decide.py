"""Who gets which share of the calls, and which revisions have to run for that. Pure.

Knative's rules, on which KServe's canaries rest: the newest revision that became ready is offered
all calls, or `canaryTrafficPercent` of them while the one that was rolled out before keeps the
rest; a revision that gets all of them is rolled out. Removing the percentage promotes, 0 rolls
back. Named canaries (`canary[]`) take their share from the whole once they are ready.

Shares go only to those who can answer: what is meant and what is given are two lists, so that the
loss of a revision moves its calls, but promotes nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

PREVIOUS = "prev"  # Knative's tag of the one that keeps the rest


class Health(Enum):
    ABSENT = auto()  # nothing of it runs
    COMING = auto()
    READY = auto()
    IDLE = auto()  # scaled to zero, or on its way back: calls wait for it
    FAILED = auto()

    @property
    def answers(self) -> bool:
        return self in (Health.READY, Health.IDLE)


@dataclass(frozen=True, slots=True)
class Before:
    """Revisions by name, as the status says them."""

    created: str | None = None
    ready: str | None = None
    rolled: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Canary:
    name: str
    revision: str
    percent: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the manifest asks for. `latest` is None where it cannot be had: then what was stays."""

    latest: str | None
    percent: int | None = None  # canaryTrafficPercent
    canaries: Sequence[Canary] = ()
    at_once: bool = True  # the new one beside the old; else the old one makes room first (Recreate)
    # The newest has only begun: an older one that does not run, as after a restart, is not started
    # meanwhile, unless the newest fails.
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    revision: str
    percent: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    created: str | None
    ready: str | None
    rolled: str | None
    previous: str | None
    meant: tuple[Share, ...]  # of the stable track; 100 in all, or none
    given: tuple[Share, ...]  # with canaries, and without those who cannot answer
    keep: tuple[str, ...]  # the revisions that run

    @property
    def is_settled(self) -> bool:
        """The newest one answers."""
        return self.ready == self.created

    @property
    def named(self) -> frozenset[str]:
        """All that somebody may still ask for."""
        named = (self.created, self.ready, self.rolled, self.previous, *self.keep)
        return frozenset(name for name in named if name is not None)


def decide(asked: Asked, before: Before, health: Mapping[str, Health]) -> Rollout:
    def answers(revision: str | None) -> bool:
        return revision is not None and health.get(revision, Health.ABSENT).answers

    created = asked.latest or before.created
    ready = created if answers(created) else before.ready
    rolled, previous = before.rolled, before.previous
    split = asked.percent is not None and asked.percent < 100
    if split and created == rolled and created != before.created:
        previous = None  # an older content came back: its share takes nothing from anybody
    if split and previous and previous != rolled and ready == rolled == created:
        rolled = previous  # a share is taken back from one that was rolled out
    meant: tuple[Share, ...] = ()
    if ready is not None and split and rolled is not None and rolled != ready:
        assert asked.percent is not None
        meant = (
            Share(ready, asked.percent),
            Share(rolled, 100 - asked.percent, PREVIOUS),
        )
    elif ready is not None and answers(rolled) and (not answers(ready) or ready != created):
        # One that is lost just now is not promoted, nor is one that the next is to replace.
        assert rolled is not None
        meant = (Share(rolled, 100),)
    elif ready is not None:
        meant = (Share(ready, 100),)
        if rolled != ready:
            rolled, previous = ready, rolled
    coming = [canary for canary in asked.canaries if answers(canary.revision)]
    given = _given(meant, coming, [share.revision for share in meant if answers(share.revision)])
    serving = [share.revision for share in meant]
    if not asked.at_once and created is not None and created not in serving:
        serving = []
    failed = created is not None and health.get(created) is Health.FAILED
    if asked.begins and not split and not failed:
        serving = [name for name in serving if health.get(name, Health.ABSENT) != Health.ABSENT]
    keep = [created, *serving, *(canary.revision for canary in asked.canaries)]
    return Rollout(
        created,
        ready,
        rolled,
        previous,
        meant,
        given,
        tuple(dict.fromkeys(revision for revision in keep if revision is not None)),
    )


def _given(
    meant: Sequence[Share], canaries: Sequence[Canary], answering: Sequence[str]
) -> tuple[Share, ...]:
    """Canaries get what they ask for, the stable revisions that answer share the rest."""
    stable = [share for share in meant if share.revision in answering]
    if not stable and canaries:
        return _scaled(_shares(canaries), 100)
    if not stable:
        return tuple(meant)
    rest = 100 - sum(canary.percent for canary in canaries)
    return (*_scaled(stable, rest), *_shares(canaries))


def _shares(canaries: Sequence[Canary]) -> tuple[Share, ...]:
    return tuple(Share(canary.revision, canary.percent) for canary in canaries)


def _scaled(shares: Sequence[Share], whole: int) -> tuple[Share, ...]:
    """In percents that sum to `whole`: the first gets what rounding leaves, and all where nobody
    has a share.
    """
    total = sum(share.percent for share in shares) or 1
    first, *others = shares
    found = [replace(share, percent=round(whole * share.percent / total)) for share in others]
    left = whole - sum(share.percent for share in found)
    return (replace(first, percent=left), *found)
