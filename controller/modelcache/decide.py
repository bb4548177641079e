"""Which models a node keeps, fetches and evicts. Pure.

The caches of a group share its storageLimit. Room is given in this order: models in use that lie
here (those are pinned, whatever the limit), models in use that are yet to come, and then the most
recently used; a cache that nobody has used counts from when it was made. What gets no room is not
fetched, or goes. The same situation decides the same, and a model that has come or gone moves
nobody in this order, so that two caches never push each other out in turn.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

# Users by model; a model is called as its folder: equal wishes share one.
Users = Mapping[str, tuple[str, ...]]


class State(StrEnum):
    """As KServe's node agent calls them, after `Node` or `Model`."""

    PENDING = "DownloadPending"
    LOADING = "Downloading"
    HERE = "Downloaded"
    FAILED = "DownloadError"


class Why(StrEnum):
    """Reasons of the condition Ready."""

    HERE = "Downloaded"
    LOADING = "Downloading"
    NEXT = "Waiting"  # it will be fetched
    GAVE_WAY = "GaveWay"  # there would be room, but others are used more
    FULL = "CacheFull"  # no room beside what is in use
    FAILED = "DownloadFailed"
    WRONG = "InvalidCache"  # no group of this machine, no way to fetch it


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cache. `model` is None if nothing is fetched for it: it lies on this machine anyway, or
    cannot be had, and `problem` says why.
    """

    name: str  # iris, or namespace/iris
    model: str | None
    group: str
    size_bytes: int  # as its author says
    made_at: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Lying:
    """What the disk knows of a model: its real size, also after it was evicted."""

    size_bytes: int
    used_at: float | None = None
    here: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    wanted: tuple[Wanted, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)  # of the groups
    lying: Mapping[str, Lying] = field(default_factory=dict)
    users: Users = field(default_factory=dict)
    loading: Set[str] = frozenset()
    failures: Mapping[str, str] = field(default_factory=dict)  # of the last try


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    why: Why
    message: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """Of a group. More may be used than there is: what is in use stays."""

    limit: int
    used: int

    @property
    def free(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class Decision:
    fetch: tuple[str, ...] = ()  # in this order
    evict: tuple[str, ...] = ()
    keep: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)  # models that may not be fetched
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # by cache
    rooms: Mapping[str, Room] = field(default_factory=dict)  # by group


@dataclass(frozen=True, slots=True)
class _Model:
    """In one group."""

    name: str
    size_bytes: int
    here: bool
    users: tuple[str, ...]
    recent: float
    failed: bool
    caches: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, float, str]:
        if self.users:
            return (0 if self.here else 1), 0, self.name
        # What could not be fetched makes nobody give way.
        return (3 if self.failed and not self.here else 2), -self.recent, self.name


def decide(now: Situation) -> Decision:
    keep: set[str] = set()
    denied: dict[str, Verdict] = {}
    rooms: dict[str, Room] = {}
    order: list[_Model] = []
    for group, limit in now.limits.items():
        models = sorted(_models(now, group), key=lambda model: model.rank)
        order += models
        given = _share_out(models, limit, denied)
        keep |= {model.name for model in given}
        rooms[group] = Room(limit, sum(m.size_bytes for m in given if m.here))
    verdicts = {cache.name: _verdict(cache, now, keep, denied) for cache in now.wanted}
    missing = [m.name for m in sorted(order, key=lambda m: m.rank) if not m.here]
    fetch = dict.fromkeys(name for name in missing if name in keep)
    evict = dict.fromkeys(m.name for m in order if m.here and m.name not in keep)
    told = {model.name: ", ".join(model.caches) for model in order}
    refused = {
        name: f"model cache {told[name]}: {denied[name].message}"
        for name in denied
        if name not in keep
    }
    return Decision(tuple(fetch), tuple(evict), frozenset(keep), refused, verdicts, rooms)


def spare(
    lying: Mapping[str, Lying], kept: Set[str], users: Users, limit: int | None
) -> tuple[str, ...]:
    """Models that no cache keeps and nobody uses, to be evicted so that all together are at most
    `limit` bytes; those used least recently first.
    """
    here = {name: model for name, model in lying.items() if model.here}
    excess = sum(model.size_bytes for model in here.values()) - (limit or 0)
    if limit is None or excess <= 0:
        return ()
    idle = [name for name in here if name not in kept and not users.get(name)]
    going = []
    for name in sorted(idle, key=lambda name: (here[name].used_at or 0, name)):
        if excess <= 0:
            break
        going.append(name)
        excess -= here[name].size_bytes
    return tuple(going)


def _models(now: Situation, group: str) -> Iterable[_Model]:
    caches: dict[str, list[Wanted]] = {}
    said: dict[str, int] = {}  # by whoever says most, in whatever group: there is one folder
    for cache in now.wanted:
        if cache.model is not None:
            said[cache.model] = max(cache.size_bytes, said.get(cache.model, 0))
            if cache.group == group:
                caches.setdefault(cache.model, []).append(cache)
    for name, theirs in caches.items():
        known = now.lying.get(name)
        yield _Model(
            name,
            known.size_bytes if known else said[name],
            known is not None and known.here,
            now.users.get(name, ()),
            max((known and known.used_at) or 0, *(cache.made_at for cache in theirs)),
            name in now.failures,
            tuple(cache.name for cache in theirs),
        )


def _share_out(models: list[_Model], limit: int, denied: dict[str, Verdict]) -> list[_Model]:
    free, pinned, given = limit, 0, list[_Model]()
    in_use: list[_Model] = []
    for model in models:
        stays = model.here and bool(model.users)
        if not stays and model.size_bytes > free:
            denied[model.name] = _denial(model, limit, pinned, in_use, given)
            continue
        given.append(model)
        free -= model.size_bytes
        if model.users:
            pinned += model.size_bytes
            in_use.append(model)
    return given


def _denial(
    model: _Model, limit: int, pinned: int, in_use: list[_Model], given: list[_Model]
) -> Verdict:
    needs = f"it needs {amount(model.size_bytes)}"
    if model.size_bytes > limit - pinned:
        free = amount(max(limit - pinned, 0))
        users = ", ".join(sorted({name for used in in_use for name in used.caches}))
        message = f"{needs}, {free} free of {amount(limit)}" + (f"; in use: {users}" * bool(users))
        return Verdict(State.FAILED, Why.FULL, message)
    rivals = ", ".join(dict.fromkeys(name for other in given for name in other.caches))
    message = f"{needs} of {amount(limit)}, and gave way to {rivals}; it comes when it is used"
    return Verdict(State.PENDING, Why.GAVE_WAY, message)


def _verdict(
    cache: Wanted, now: Situation, keep: Set[str], denied: Mapping[str, Verdict]
) -> Verdict:
    model = cache.model
    if cache.problem:
        return Verdict(State.FAILED, Why.WRONG, cache.problem)
    if model is None:
        return Verdict(State.HERE, Why.HERE, "used where it lies")
    known = now.lying.get(model)
    if model not in keep:
        return denied[model]
    if known is not None and known.here:
        return Verdict(State.HERE, Why.HERE, amount(known.size_bytes))
    if model in now.loading:
        return Verdict(State.LOADING, Why.LOADING)
    if model in now.failures:
        return Verdict(State.FAILED, Why.FAILED, now.failures[model])
    return Verdict(State.PENDING, Why.NEXT)


def amount(size_bytes: int) -> str:
    """As storageLimit is written by people: 12 GiB, 1.5 MiB."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f}".removesuffix(".0") + f" {unit}"
        size /= 1024
    return f"{size:.1f}".removesuffix(".0") + " TiB"
