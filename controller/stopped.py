"""KServe's switch: an annotation that stops what an object runs and keeps the object. Pure."""

from controller.store.refs import Json

STOP = "serving.kserve.io/stop"


def is_stopped(live: Json) -> bool:
    said = (live["metadata"].get("annotations") or {}).get(STOP, "")
    return str(said).lower() == "true"
