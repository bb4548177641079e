"""How one step's answer becomes the next step's request: as it is, or, where a step asks for it,
V1's predictions as V1's instances and V2's outputs as V2's inputs.
"""

from collections.abc import Iterable

import msgspec

from graph.conditions.scan import members, string_content
from graph.document import Document
from graph.effects import Headers, Payload, Reply
from graph.tensors import chain
from graph.tensors.message import Message

JSON: Headers = ((b"content-type", b"application/json"),)
_DESCRIBING = frozenset({b"content-type", b"content-encoding", b"inference-header-content-length"})
_GUESSED = (b"text/plain", b"text/html")  # what servers say of a body that nobody named
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def as_request(answer: Reply) -> Payload:
    """The answer's body with the headers that describe it. Without a type, or with a guessed one,
    it is JSON, which is what KServe calls every request.
    """
    headers = answer.headers
    if isinstance(answer.document, Message):
        return chain.message(answer.document) or Payload(answer.document, headers)
    return Payload(answer.document, headers if headers == JSON else _describing(headers))


def _describing(headers: Headers) -> Headers:
    kept = [pair for pair in headers if pair[0] in _DESCRIBING]
    for pair in kept:
        if pair[0] == b"content-type":
            if not pair[1].lower().startswith(_GUESSED):
                return tuple(kept)
            kept.remove(pair)
            break
    return (*JSON, *kept)


def predictions_to_instances(payload: Payload) -> Payload:
    """`{"predictions": [...]}` -> `{"instances": [...]}` with the array's bytes untouched, V2's
    outputs -> inputs (`graph.tensors.chain`); anything else as it was.

    KServe's rule: only a non-empty array counts, every other key is dropped, names are compared
    without case and the last one wins, and a body whose `instances` is no array is left alone.
    """
    document = payload.document
    if isinstance(document, Message):
        return chain.message(document) or payload
    if not document.valid:
        return payload
    found = {name.lower(): raw for name, raw in _fields(document.json)}
    if chain.is_answer(found):
        return chain.request(found, document)
    predictions = found.get("predictions", b"null")
    if not predictions.startswith(b"[") or not predictions[1:-1].strip():
        return payload
    if not found.get("instances", b"null").startswith((b"[", b"null")):
        return payload
    return Payload(Document(b'{"instances":' + predictions + b"}"), JSON)


def _fields(body: bytes) -> Iterable[tuple[str, bytes]]:
    """Names and raw values of a JSON object; none of any other JSON."""
    try:
        return [(name, bytes(raw)) for name, raw in _object.decode(body).items()]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # No object; or too deep, or with a lone surrogate, for a parser that makes Python values.
    body = body.strip()
    if not body.startswith(b"{"):
        return ()
    return [(string_content(key).decode(errors="replace"), raw) for key, raw in members(body)]
