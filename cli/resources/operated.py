"""What describes an InferenceService and is told by other objects: its revisions, and how each is
scaled and why. Tables out, in the words of those objects.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.resources.revisions import seen
from controller.client.api import Api, Json, Selection
from controller.store.owned import SERVICE_LABEL


@dataclass(frozen=True, slots=True)
class Section:
    """`rows` may be empty: then there is nothing to tell."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[object]]


def sections(api: Api, service: Json) -> Iterator[Section]:
    metadata = service["metadata"]
    own = Selection(metadata["namespace"], f"{SERVICE_LABEL}={metadata['name']}")
    yield _revisions(api, service, own)
    yield _scaling(api, own)


def _revisions(api: Api, service: Json, own: Selection) -> Section:
    revisions = _all(api, "apps/v1", "ControllerRevision", own)
    found = seen([service], revisions, _all(api, "v1", "Pod", own))
    return Section(
        "Revisions",
        ("Name", "Share", "Ready", "State", "Canary", "Created"),
        [
            [
                each.name,
                "" if each.share is None else f"{each.share}%",
                f"{each.ready}/{each.wanted}" if each.runs else "",
                each.state,
                each.canary,
                each.created,
            ]
            for each in found
        ],
    )


def _scaling(api: Api, own: Selection) -> Section:
    """The last decision on each; the ones before are events."""
    rows = []
    for each in _all(api, "autoscaling/v2", "HorizontalPodAutoscaler", own):
        spec, status = each["spec"], each.get("status") or {}
        rows.append(
            [
                each["metadata"]["name"],
                f"{status.get('currentReplicas', 0)} -> {status.get('desiredReplicas', 0)}",
                f"{spec['minReplicas']}-{spec['maxReplicas']}",
                status.get("lastScaleTime", ""),
                "; ".join(_why(status)),
            ]
        )
    return Section("Scaling", ("Name", "Replicas", "Bounds", "Last scaled", "Why"), rows)


def _why(status: Json) -> Iterator[str]:
    """What was decided, and what could not be done."""
    usual = {"AbleToScale": None, "ScalingActive": "True", "ScalingLimited": "False"}
    for condition in status.get("conditions") or ():
        if usual.get(condition["type"]) != condition["status"] and condition.get("message"):
            yield condition["message"]


def _all(api: Api, api_version: str, name: str, where: Selection) -> list[Json]:
    kind = api.kind_of(api_version, name)
    assert kind is not None  # of each server of this API
    found: list[Json] = api.list(kind, where)["items"]
    return found
