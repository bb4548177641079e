"""The versions that one manifest asks for side by side: the stable one, and each of its canaries.

Pure. A track is an InferenceService of its own. A canary is the stable predictor with what the
canary says laid over it, under the canary's name; it is not scaled by itself. Transformer and
explainer come with each, so that a share of the calls goes through one version from end to end
(KServe splits each component's route by itself).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from controller.resources.inferenceservice import (
    FRAMEWORKS,
    CanarySpec,
    InferenceServiceSpec,
    PredictorSpec,
    model_of,
)
from controller.resources.model import dump, read
from controller.resources.parse import Service

STABLE = ""

Json = dict[str, Any]

PERCENT = "canaryTrafficPercent"
SCALING = (
    "minReplicas",
    "maxReplicas",
    "scaleTarget",
    "scaleMetric",
    "scaleMetricType",
    "autoScaling",
)
_NOT_A_CANARYS = (*SCALING, PERCENT)


@dataclass(frozen=True, slots=True)
class Track:
    name: str  # of the canary
    percent: int | None  # that a canary asks for; None: it is the stable one
    service: Service


def tracks(service: Service) -> tuple[Track, ...]:
    """The stable one first."""
    spec = service.resource.spec
    stable = spec.model_copy(update={"canary": ()})
    return (
        Track(STABLE, None, _with(service, stable)),
        *(
            Track(
                canary.predictor.name or "canary",
                canary.traffic_percent,
                _with(service, stable.model_copy(update={"predictor": predictor(spec, canary)})),
            )
            for canary in spec.canary
        ),
    )


def predictor(spec: InferenceServiceSpec, canary: CanarySpec) -> PredictorSpec:
    """As it runs for this canary."""
    stable, own = _plain(spec.predictor), _plain(canary.predictor)
    if "model" not in own and "containers" in own:
        stable.pop("model", None)
    base = {key: value for key, value in stable.items() if key not in _NOT_A_CANARYS}
    merged: Json = _laid_over(base, own)
    number = canary.predictor.min_replicas
    if number is None:
        number = ceil((spec.predictor.min_replicas or 1) * canary.traffic_percent / 100)
    merged["minReplicas"] = merged["maxReplicas"] = max(1, number)
    return read(PredictorSpec, merged)


def _plain(said: PredictorSpec) -> Json:
    """With its model under `model`, whatever key it came by."""
    plain = {key: value for key, value in dump(said).items() if key not in FRAMEWORKS}
    model = model_of(said)
    return plain | ({"model": dump(model)} if model is not None else {})


def _laid_over(below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    both = {key: _laid_over(below[key], value) for key, value in above.items() if key in below}
    return {**below, **above, **both}


def _with(service: Service, spec: InferenceServiceSpec) -> Service:
    resource = service.resource.model_copy(update={"spec": spec})
    return replace(service, resource=resource)
