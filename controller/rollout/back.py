"""Back to an earlier revision: which one is meant, and the manifest that asks for it. Pure.

What a revision is made of comes back, whole: the specification and the annotations that its
content depends on. How it is scaled stays as it is now, since that was never the revision's; and
nothing is left of canaries, so that all calls go there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.resources.inferenceservice import InferenceServiceSpec
from controller.resources.model import dump, read
from controller.rollout.decide import Before
from controller.rollout.identity import matters
from controller.rollout.revision import Revision
from controller.rollout.tracks import PERCENT, SCALING, STABLE, predictor

Json = dict[str, Any]

_COMPONENTS = ("predictor", "transformer", "explainer")


def earlier(known: Sequence[Revision], before: Before, *, refused: bool) -> Revision | None:
    """Who was called before what the manifest says now; `known`: the oldest first. `refused`: that
    can not be had at all, and so is no revision.
    """
    by_name = {revision.name: revision for revision in known}
    if refused:
        return by_name.get(before.rolled or before.created or "")
    stable = [revision for revision in known if revision.track == STABLE]
    newest = by_name.get(before.created or "") or (stable[-1] if stable else None)
    if newest is None:
        return None
    for name in (before.rolled, before.previous):
        if name in by_name and name != newest.name:
            return by_name[name]
    older = [revision for revision in stable if revision.number < newest.number]
    return older[-1] if older else None


def spec_for(revision: Revision, now: Json) -> Json:
    """The specification that asks for this revision alone; `now`: the one there is."""
    spec = {name: value for name, value in revision.spec.items() if name != "canary"}
    if revision.track != STABLE:
        spec["predictor"] = _promoted(revision)
    for role in _COMPONENTS:
        if spec.get(role) is None:
            continue
        known = now.get(role) or {}
        scaling = {name: known[name] for name in SCALING if name in known}
        said = {n: v for n, v in spec[role].items() if n not in SCALING and n != PERCENT}
        spec[role] = scaling | said
    return spec


def annotations_for(revision: Revision, now: Mapping[str, str]) -> dict[str, str]:
    """The same for the annotations of the service."""
    kept = {name: text for name, text in now.items() if not matters(name)}
    return kept | {name: text for name, text in revision.annotations.items() if matters(name)}


def _promoted(revision: Revision) -> Json:
    """The predictor of a named canary, as the one and only."""
    spec = read(InferenceServiceSpec, revision.spec)
    for canary in spec.canary:
        if (canary.predictor.name or "canary") == revision.track:
            return dump(predictor(spec, canary))
    raise AssertionError(f"{revision.name} was made for a canary that it does not have")
