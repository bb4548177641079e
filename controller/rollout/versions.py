"""What a manifest asks for, as revisions that can run: the version of each track, and older ones.

It joins tracks, rendering and history. A version is rendered from the manifest of today where the
manifest asks for it, and else from what its revision has kept, runtimes included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from controller.desired import INVALID, Refused, Unit, Wanted, World, desired
from controller.resources.annotations import DISABLE_AUTO_UPDATE
from controller.resources.parse import Service
from controller.rollout.history import History
from controller.rollout.identity import PLACEHOLDER, matters
from controller.rollout.revision import Revision
from controller.rollout.tracks import STABLE, Track, tracks
from controller.scale import Scale
from controller.store.refs import Json
from controller.view import View


@dataclass(frozen=True, slots=True)
class Version:
    """A revision, and how it is rendered. `declared`: once, wherever its predictor is called."""

    revision: Revision
    service: Service
    world: World
    declared: Wanted | None = None

    def wanted(self, host: str | None) -> Wanted | Refused:
        """Its units under their names. `host`: where its predictor is called."""
        made = desired(self.service, self.world, host)
        if isinstance(made, Refused):
            return made
        return replace(made, units=tuple(map(self._named, made.units)))

    def _named(self, unit: Unit) -> Unit:
        return replace(unit, name=self.revision.units[unit.role].name)


@dataclass(frozen=True, slots=True)
class Versions:
    """`refused` names canaries that cannot be had, and why."""

    latest: Version | Refused
    percent: int | None
    canaries: tuple[tuple[Track, Version], ...] = ()
    refused: tuple[tuple[Track, Refused], ...] = ()
    known: Sequence[Revision] = ()  # the oldest first
    live: Json = field(default_factory=dict)


class Renderer:
    def __init__(self, history: History, view: View, world: World, scale: Scale) -> None:
        self._history = history
        self._view = view
        self._world = world
        self._scale = scale

    def versions(self, live: Json) -> Versions:
        """Revisions that are new are kept."""
        known = self._history.of(live)
        service = self._view.service(live)
        if isinstance(service, list):
            return Versions(Refused(INVALID, tuple(service)), None, known=known, live=live)
        world = replace(self._world, runtimes=self._view.runtimes(), config=self._view.config())
        made: list[tuple[Track, Version | Refused]] = []
        for track in tracks(service):
            version = self._version(live, known, track, world)
            if isinstance(version, Version):
                known = _with(known, version.revision)
            made.append((track, version))
        (_, latest), *others = made
        return Versions(
            latest,
            _percent(service),
            tuple((track, one) for track, one in others if isinstance(one, Version)),
            tuple((track, one) for track, one in others if isinstance(one, Refused)),
            known,
            live,
        )

    def older(self, live: Json, revision: Revision) -> Version | None:
        """None if it can no longer be read."""
        metadata = live["metadata"]
        manifest = {
            name: text
            for name, text in (metadata.get("annotations") or {}).items()
            if name not in revision.annotations
        }
        said = live | {
            "spec": revision.spec,
            "metadata": metadata | {"annotations": manifest | dict(revision.annotations)},
        }
        service = self._view.service(said)
        if isinstance(service, list):
            return None
        for track in tracks(service):
            if track.name == revision.track:
                return Version(revision, track.service, self._world_of(revision))
        return None

    def _world_of(self, revision: Revision) -> World:
        """With the runtimes as they were."""
        runtimes = [self._view.runtime(file, kept) for file, kept in revision.runtimes]
        return replace(
            self._world,
            runtimes=[runtime for runtime in runtimes if runtime is not None],
            config=self._view.config(),
        )

    def _version(
        self, live: Json, known: Sequence[Revision], track: Track, world: World
    ) -> Version | Refused:
        pinned = self._pinned(live, known, track)
        if pinned is not None:
            return pinned
        made = desired(track.service, world, PLACEHOLDER)
        if isinstance(made, Refused):
            return made
        # Any number of predictors but one is called through the router.
        routed = self._scale.bounds(made.units[0]) != (1, 1)
        revision = self._history.add(live, known, track.name, made, routed)
        return Version(revision, track.service, world, made)

    def _pinned(self, live: Json, known: Sequence[Revision], track: Track) -> Version | None:
        """A service that asks for it stays on the runtime that it has, until it is changed."""
        annotations = live["metadata"].get("annotations") or {}
        if annotations.get(DISABLE_AUTO_UPDATE) != "true":
            return None
        for revision in reversed(known):
            if revision.track == track.name == STABLE and _says_the_same(revision, live):
                return Version(revision, track.service, self._world_of(revision))
        return None


def _with(known: Sequence[Revision], one: Revision) -> list[Revision]:
    """In its place, if it is known by an older wording."""
    if all(each.name != one.name for each in known):
        return [*known, one]
    return [one if each.name == one.name else each for each in known]


def _says_the_same(revision: Revision, live: Json) -> bool:
    def said(annotations: Mapping[str, str]) -> dict[str, str]:
        return {name: text for name, text in annotations.items() if matters(name)}

    annotations = live["metadata"].get("annotations") or {}
    return revision.spec == live["spec"] and said(revision.annotations) == said(annotations)


def _percent(service: Service) -> int | None:
    """The predictor's word; where it has none, the transformer's."""
    spec = service.resource.spec
    components = (spec.predictor, spec.transformer)
    said = (each.canary_traffic_percent for each in components if each is not None)
    return next((percent for percent in said if percent is not None), None)
