"""What shall be of a service, now: shares, units and their replicas, from its manifest and from
what is observed.

It joins the pure parts: versions, their health, the decision, rendering. Nothing is carried out.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from controller.backend import Backend
from controller.desired import Refused, Unit, Wanted
from controller.endpoints import inner_key
from controller.rollout.decide import Asked, Before, Canary, Health, Rollout, decide
from controller.rollout.health import health
from controller.rollout.identity import PLACEHOLDER
from controller.rollout.revision import Revision
from controller.rollout.versions import Renderer, Version, Versions
from controller.scale import Scale
from controller.status import CanaryTold
from controller.store.refs import Json
from controller.workload import Role

RECREATE = "Recreate"
BEGINS_S = 30.0  # how long nobody else is started for a revision that comes when nothing runs


@dataclass(frozen=True, slots=True)
class Intent:
    """`kept` units stay as they are for now; `inner` predictors are called through the router by
    their transformers, `hold`: calls wait for what is scaled to zero.
    """

    rollout: Rollout
    latest: Wanted | Refused | None = None  # None: it is stopped
    units: tuple[Unit, ...] = ()
    kept: Collection[str] = ()
    inner: Collection[str] = ()
    path: str | None = None  # that a graph calls; None: as before
    paths: Mapping[str, str] = field(default_factory=dict)  # the same, by revision
    hold: bool = False
    waits: bool = False  # nothing has to be there for calls to be answered
    idle: bool = False  # the newest revision is scaled to zero, or on its way back
    known: Sequence[Revision] = ()
    revisions: Mapping[str, Revision] = field(default_factory=dict)  # the same, by name
    canaries: tuple[CanaryTold, ...] = ()
    again_s: float | None = None  # look again by then, if nothing happens before


STOPPED = Intent(Rollout(None, None, None, None, (), (), ()))


class Intents:
    def __init__(
        self,
        renderer: Renderer,
        backend: Backend,
        scale: Scale,
        url: Callable[[str], str],
        clock: Callable[[], float],
    ) -> None:
        self._renderer = renderer
        self._backend = backend
        self._scale = scale
        self._url = url
        self._clock = clock
        self._begun: dict[
            str, tuple[str, float]
        ] = {}  # the newest revision of each, and since when

    def of(self, key: str, live: Json) -> Intent:
        versions = self._renderer.versions(live)
        revisions = {revision.name: revision for revision in versions.known}
        observed = self._backend.observe(key)
        before = before_of(live, revisions)
        # An older one may be at zero, whatever the newest says.
        hold = self._holds(self._asked_for(live, versions, revisions, before)) or any(
            running.unit is not None and running.unit.replicas == 0 for running in observed.values()
        )
        called = _called(live)
        current = _current(versions)
        asked = {version.revision.name for _, version in versions.canaries}
        # A canary that is promoted, and who is to come back, need as many replicas as a new one.
        proven = called & {before.ready, before.rolled, *asked}
        found = {
            name: health(revision, observed, name in proven, hold, _declared(current.get(name)))
            for name, revision in revisions.items()
        }
        begins_s = self._begins_s(key, _latest_name(versions) or before.created)
        rollout = decide(replace(_asked(versions), begins=begins_s > 0), before, found)
        run = _Run()
        for name in rollout.keep:
            version = current.get(name) or self._renderer.older(live, revisions[name])
            self._add(run, key, revisions[name], version)
        hold = hold or any(unit.replicas == 0 for unit in run.units.values())
        ready = run.wanted.get(rollout.ready or rollout.created or "")
        answering = {name for name, each in found.items() if each.answers}
        waits = any(share.revision in answering for share in rollout.given) and hold
        return Intent(
            rollout,
            _latest(versions, run),
            tuple(run.units.values()),
            run.kept,
            run.inner,
            ready.path if ready is not None else None,
            {name: made.path for name, made in run.wanted.items()},
            hold,
            waits,
            found.get(rollout.created or "") is Health.IDLE,
            versions.known,
            revisions,
            tuple(_canaries(versions, answering)),
            begins_s if begins_s > 0 and not rollout.is_settled else None,
        )

    def forget(self, key: str) -> None:
        """Nothing of it is to run."""
        self._begun.pop(key, None)

    def _begins_s(self, key: str, newest: str | None) -> float:
        """How long it still counts as just begun."""
        name, since = self._begun.get(key, (None, 0.0))
        now = self._clock()
        if newest is not None and (name != newest or now < since):  # a clock may be set back
            since = now
            self._begun[key] = newest, since
        return since + BEGINS_S - now

    def _asked_for(
        self,
        live: Json,
        versions: Versions,
        revisions: Mapping[str, Revision],
        before: Before,
    ) -> Version | None:
        """The newest that can be had: a bad edit leaves the one before it."""
        if isinstance(versions.latest, Version):
            return versions.latest
        if before.created is None:
            return None
        return self._renderer.older(live, revisions[before.created])

    def _holds(self, latest: Version | None) -> bool:
        """Whether something of it may be scaled to zero."""
        if latest is None:
            return False
        made = latest.declared or latest.wanted(PLACEHOLDER)
        units = made.units if isinstance(made, Wanted) else ()
        return any(self._scale.bounds(unit)[0] == 0 for unit in units)

    def _add(self, run: "_Run", key: str, revision: Revision, version: Version | None) -> None:
        made = self._rendered(run, key, revision, version) if version is not None else None
        if not isinstance(made, Wanted):  # what runs already runs on
            run.kept |= {unit.name for unit in revision.units.values()}
            return
        run.wanted[revision.name] = made
        run.kept |= {revision.units[role].name for role in made.waiting}
        for unit in made.units:
            called_as = (
                (key, revision.name) if unit.role is made.entry else (inner_key(key, unit.name), "")
            )
            number = self._scale.replicas(*called_as, unit)
            if unit.role is Role.EXPLAINER:
                number = max(number, 1)  # it is called past the router: nobody would bring it back
            known = run.units.get(unit.name)
            if known is not None:  # of two revisions
                number = max(number, known.replicas)
            run.units[unit.name] = replace(unit, replicas=number)

    def _rendered(
        self, run: "_Run", key: str, revision: Revision, version: Version
    ) -> Wanted | Refused:
        predictor = revision.units[Role.PREDICTOR].name
        host = self._backend.host(key, predictor)
        if len(revision.units) == 1:
            return version.wanted(host)
        if not revision.routed:
            return version.wanted(host)
        through = key  # where nobody stands before the predictor, its callers call the service
        if Role.TRANSFORMER in revision.units:
            run.inner.add(predictor)
            through = inner_key(key, predictor)
        return version.wanted(self._url(through).partition("://")[2])


@dataclass(slots=True)
class _Run:
    units: dict[str, Unit] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)  # by revision
    kept: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)


def before_of(live: Json, revisions: Collection[str]) -> Before:
    """As the status says; what is no longer kept is forgotten."""
    said = _predictor(live)

    def known(field_name: str) -> str | None:
        name = said.get(field_name)
        return name if name in revisions else None

    return Before(
        known("latestCreatedRevision"),
        known("latestReadyRevision"),
        known("latestRolledoutRevision"),
        known("previousRolledoutRevision"),
    )


def _predictor(live: Json) -> Json:
    components: Json = (live.get("status") or {}).get("components") or {}
    found: Json = components.get("predictor") or {}
    return found


def _called(live: Json) -> set[str]:
    return {share["revisionName"] for share in _predictor(live).get("traffic") or ()}


def _latest_name(versions: Versions) -> str | None:
    return versions.latest.revision.name if isinstance(versions.latest, Version) else None


def _asked(versions: Versions) -> Asked:
    latest = versions.latest
    strategy = None
    if isinstance(latest, Version):
        strategy = latest.service.resource.spec.predictor.deployment_strategy
    return Asked(
        _latest_name(versions),
        versions.percent,
        [
            Canary(track.name, version.revision.name, track.percent or 0)
            for track, version in versions.canaries
        ],
        at_once=strategy is None or strategy.type != RECREATE,
    )


def _current(versions: Versions) -> Mapping[str, Version]:
    found = [version for _, version in versions.canaries]
    if isinstance(versions.latest, Version):
        found.append(versions.latest)
    return {version.revision.name: version for version in found}


def _declared(version: Version | None) -> Wanted | None:
    return version.declared if version is not None else None


def _latest(versions: Versions, run: _Run) -> Wanted | Refused:
    if isinstance(versions.latest, Refused):
        return versions.latest
    made = run.wanted.get(versions.latest.revision.name)
    if made is not None:
        return made
    again = versions.latest.wanted(None)
    assert isinstance(again, Refused)  # or it would run
    return again


def _canaries(versions: Versions, answering: Collection[str]) -> list[CanaryTold]:
    told = [
        CanaryTold(track.name, version.revision.name in answering, track.percent or 0)
        for track, version in versions.canaries
    ]
    refused = [
        CanaryTold(track.name, False, track.percent or 0, why.message)
        for track, why in versions.refused
    ]
    return [*told, *refused]
