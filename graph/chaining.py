"""How one step's answer becomes the next step's request: V1 predictions turn into V1 instances."""

import msgspec

from graph.document import Document
from graph.effects import Payload

_JSON = ((b"content-type", b"application/json"),)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def predictions_to_instances(payload: Payload) -> Payload:
    """`{"predictions": [...]}` -> `{"instances": [...]}` with the array's bytes untouched; anything
    else as it was.

    KServe's rule: only a non-empty array counts, every other key is dropped, names are compared
    without case and the last one wins, and a body whose `instances` is no array is left alone.
    """
    if not payload.document.spliceable:
        return payload
    try:
        fields = _object.decode(payload.document.body)
    except msgspec.DecodeError:
        return payload  # JSON, but no object
    found = {name.lower(): bytes(raw) for name, raw in fields.items()}
    predictions = found.get("predictions", b"null")
    if not predictions.startswith(b"[") or not predictions[1:-1].strip():
        return payload
    if not found.get("instances", b"null").startswith((b"[", b"null")):
        return payload
    return Payload(Document(b'{"instances":' + predictions + b"}"), _JSON)
