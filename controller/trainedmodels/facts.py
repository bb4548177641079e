"""What a TrainedModel of the store says, and how it is called in keys. Pure."""

from hashlib import sha256

from controller.resources.quantities import number
from controller.store.metadata import finalizers, with_finalizers
from controller.store.refs import Json, Kind, Ref
from controller.trainedmodels.decide import Model

FINALIZER = "trainedmodel.finalizer"  # these three are KServe's
PARENT = "inferenceservice"
ALLOCATED = "serving.kserve.io/trainedmodel-allocated"


def key_of(live: Json) -> str:
    return f"{live['metadata']['namespace']}/{live['metadata']['name']}"


def service_of(live: Json) -> str:
    return f"{live['metadata']['namespace']}/{live['spec']['inferenceService']}"


def ref_of(kind: Kind, key: str) -> Ref:
    namespace, _, name = key.partition("/")
    return Ref(kind, namespace, name)


def digest_of(live: Json) -> str:
    """Of what a server gets to see."""
    model = live["spec"]["model"]
    words = "\0".join((live["metadata"]["uid"], model["storageUri"], model["framework"]))
    return sha256(words.encode()).hexdigest()[:16]


def wish_of(live: Json) -> tuple[str, str]:
    """What its author wants of whom."""
    return service_of(live), digest_of(live)


def said_of(live: Json) -> Json:
    """By its author; and whether it is to go."""
    metadata = live["metadata"]
    kept = ("deletionTimestamp", "labels")
    return {"spec": live["spec"]} | {key: metadata.get(key) for key in kept}


def model_of(live: Json) -> Model:
    metadata, spec = live["metadata"], live["spec"]
    return Model(
        metadata["name"],
        digest_of(live),
        int(number(spec["model"]["memory"])),
        metadata["creationTimestamp"],
        (metadata.get("labels") or {}).get(ALLOCATED) == spec["inferenceService"],
    )


def marked(live: Json, *, allocated: bool) -> Json:
    """Whose it is, that it is held, and whether it has a place in memory."""
    parent = live["spec"]["inferenceService"]
    labels = dict(live["metadata"].get("labels") or {})
    labels.pop(ALLOCATED, None)
    labels[PARENT] = parent
    if allocated:
        labels[ALLOCATED] = parent
    held = with_finalizers(live, list(dict.fromkeys((*finalizers(live), FINALIZER))))
    return held | {"metadata": held["metadata"] | {"labels": labels}}


def let_go(live: Json) -> Json:
    return with_finalizers(live, [name for name in finalizers(live) if name != FINALIZER])
