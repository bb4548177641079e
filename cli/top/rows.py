"""What runs and how it goes, as rows: graphs, then services with the revisions of each. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cli.resources.revisions import SeenRevision, replicas, seen
from cli.top.figures import Figures, Of, Pace, Sample, pace

Json = dict[str, Any]

NO_PACE = Pace()
GRAPH, SERVICE, REVISION = "graph", "service", "revision"


@dataclass(frozen=True, slots=True)
class Known:
    """The objects, as the API has them."""

    graphs: Sequence[Json] = ()
    services: Sequence[Json] = ()
    revisions: Sequence[Json] = ()
    pods: Sequence[Json] = ()


@dataclass(frozen=True, slots=True)
class GpuUse:
    memory_bytes: int
    percent: float  # of its devices, which others may use too


Unit = tuple[str, str, str]  # namespace, service, unit: predictor-00001


@dataclass(frozen=True, slots=True)
class Row:
    """`below`: its revisions."""

    kind: str
    namespace: str
    name: str
    state: str = ""
    ready: int | None = None
    wanted: int | None = None
    share: int | None = None
    pace: Pace = NO_PACE
    gpu: GpuUse | None = None
    below: tuple["Row", ...] = ()


def rows(
    known: Known, before: Sample | None, now: Sample, gpus: Mapping[Unit, GpuUse] | None = None
) -> list[Row]:
    paces = _Paces(before, now)
    return [
        *(_graph(graph, paces) for graph in known.graphs),
        *_services(known, paces, gpus or {}),
    ]


class _Paces:
    def __init__(self, before: Sample | None, now: Sample) -> None:
        self._before, self._now = before, now
        self._seconds = now.at - before.at if before is not None else 0.0

    def of(self, *counted: Of) -> Pace:
        """Of all of them together."""
        before = _sum(self._before, counted) if self._before is not None else None
        return pace(before, _sum(self._now, counted), self._seconds)

    def services(self) -> dict[str, list[Of]]:
        found: dict[str, list[Of]] = {}
        for each in self._now.figures:
            if each.service:
                found.setdefault(each.service, []).append(each)
        return found


def _sum(sample: Sample, counted: Iterable[Of]) -> Figures:
    return sum((sample.figures.get(each, Figures()) for each in counted), Figures())


def _graph(graph: Json, paces: _Paces) -> Row:
    namespace, name = _place(graph)
    of = Of(graph=f"{namespace}/{name}")
    return Row(GRAPH, namespace, name, _state(graph), pace=paces.of(of))


def _services(known: Known, paces: _Paces, gpus: Mapping[Unit, GpuUse]) -> Iterator[Row]:
    counted = paces.services()
    revisions: dict[tuple[str, str], list[SeenRevision]] = {}
    for each in seen(known.services, known.revisions, known.pods):
        revisions.setdefault((each.namespace, each.service), []).append(each)
    predictors = replicas(known.pods)
    units = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["data"]["units"].values()
        for each in known.revisions
    }
    for service in known.services:
        namespace, name = _place(service)
        key = f"{namespace}/{name}"
        below = []
        for each in revisions.get((namespace, name), ()):
            own = paces.of(Of(service=key, revision=each.name))
            if each.runs or own.in_flight or own.rate:
                named = [(namespace, name, u["name"]) for u in units[namespace, each.name]]
                below.append(_revision(each, own, _together(gpus.get(one) for one in named)))
        yield Row(
            SERVICE,
            namespace,
            name,
            _state(service),
            *predictors.get((namespace, name), (0, 0)),
            pace=paces.of(*counted.pop(key, ())),
            gpu=_together(gpus.get(unit) for unit in gpus if unit[:2] == (namespace, name)),
            below=tuple(below),
        )
    # What only the router knows, as a predictor that its transformer calls through it.
    for key in sorted(counted):
        own = paces.of(*counted[key])
        if own.rate or own.in_flight or own.held:
            namespace, _, name = key.partition("/")
            yield Row(SERVICE, namespace, name, pace=own)


def _revision(each: SeenRevision, own: Pace, gpu: GpuUse | None) -> Row:
    return Row(
        REVISION,
        each.namespace,
        each.name,
        each.state,
        each.ready,
        each.wanted,
        each.share,
        own,
        gpu,
    )


def _together(uses: Iterable[GpuUse | None]) -> GpuUse | None:
    found = [use for use in uses if use is not None]
    if not found:
        return None
    return GpuUse(sum(use.memory_bytes for use in found), max(use.percent for use in found))


def _place(resource: Json) -> tuple[str, str]:
    return resource["metadata"]["namespace"], resource["metadata"]["name"]


def _state(resource: Json) -> str:
    """In a word: why it is not ready, if it is not."""
    for condition in (resource.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready":
            if condition["status"] == "True":
                return "Ready"
            return str(condition.get("reason") or "NotReady")
    return "Unknown"


def ordered(found: Sequence[Row], key: Any, *, reverse: bool) -> list[Row]:
    """Graphs before services, each of both by the key, and so the revisions of a service."""
    graphs = [row for row in found if row.kind == GRAPH]
    services = [
        replace(row, below=tuple(sorted(row.below, key=key, reverse=reverse)))
        for row in found
        if row.kind != GRAPH
    ]
    return [
        *sorted(graphs, key=key, reverse=reverse),
        *sorted(services, key=key, reverse=reverse),
    ]


def flat(found: Iterable[Row]) -> list[Row]:
    return [each for row in found for each in (row, *row.below)]
