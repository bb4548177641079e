"""Is a resource ready, and if not, what does its status say of why? Pure, on plain JSON."""

from typing import Any

Json = dict[str, Any]

HOPELESS = "InvalidSpec"  # a transition that only another manifest can end


class NotReady(Exception):
    """It did not become ready; the text is what its conditions say, `resource` its last state."""

    def __init__(self, message: str, resource: Json) -> None:
        super().__init__(message)
        self.resource = resource


def is_ready(resource: Json) -> bool:
    """Of its present generation: a status from before the last change does not count."""
    return _is_current(resource) and _condition(resource, "Ready").get("status") == "True"


def is_hopeless(resource: Json) -> bool:
    model = _status(resource).get("modelStatus") or {}
    return _is_current(resource) and model.get("transitionStatus") == HOPELESS


def why_not(resource: Json) -> str:
    """One line: the conditions that are not met, then the last failure of the model."""
    name = f"{resource['kind']} {resource['metadata']['name']}"
    unmet: dict[str, str] = {}  # by reason: Ready only repeats what another condition says
    for condition in _status(resource).get("conditions") or ():
        # Those of severity Info do not count.
        if condition.get("status") != "True" and condition.get("severity") != "Info":
            unmet.setdefault(_reason(condition), condition["type"])
    failure = (_status(resource).get("modelStatus") or {}).get("lastFailureInfo") or {}
    told = (
        "; ".join(f"{kind} {reason}" for reason, kind in unmet.items())
        or "nothing is said of it yet"
    )
    last = f"; last failure: {failure['message']}" if failure.get("message") else ""
    return f"{name} is not ready: {told}{last}"


def _is_current(resource: Json) -> bool:
    observed = _status(resource).get("observedGeneration")
    generation: int = resource["metadata"].get("generation", 0)
    return observed is None or observed >= generation


def _status(resource: Json) -> Json:
    return resource.get("status") or {}


def _condition(resource: Json, wanted: str) -> Json:
    found = _status(resource).get("conditions") or ()
    return next((condition for condition in found if condition["type"] == wanted), {})


def _reason(condition: Json) -> str:
    said = [condition.get("reason"), condition.get("message")]
    return ": ".join(text for text in said if text) or condition.get("status", "Unknown")
