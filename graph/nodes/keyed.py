"""The answers of an Ensemble's steps as one JSON object, by the steps' keys.

Bodies are spliced as bytes: numbers, key order and escapes stay as they were. Of V2's binary
answers the JSON is spliced so, and their tensors follow behind the whole object, in its order. gRPC
messages become one message (`graph.tensors.gathered`).
"""

from collections.abc import Mapping, Sequence

import msgspec

from graph.chaining import JSON
from graph.document import Document, Form
from graph.effects import Answer, Failure, Headers, Reply, error_body
from graph.nodes.settled import NOT_JSON
from graph.packed import JSON_LENGTH, Packed
from graph.plan import PlanNode
from graph.tensors.gathered import gathered

BINARY: Headers = ((b"content-type", b"application/octet-stream"),)


def keyed(
    node: PlanNode, answers: Sequence[Answer | None], left_out: Sequence[str | None] = ()
) -> Reply:
    """`left_out` says of steps without an answer why; others' answers stand under their key,
    whatever their status.
    """
    # A dict, because two steps may share a key (a step named "1" beside an unnamed second one): the
    # later wins.
    found: dict[str, Answer | str] = {}
    for index, (step, answer) in enumerate(zip(node.steps, answers, strict=True)):
        if answer is not None:
            found[step.key] = answer
        elif left_out and (reason := left_out[index]) is not None:
            found[step.key] = reason
    replies = [each.document for each in found.values() if isinstance(each, Reply)]
    if any(document.form is Form.MESSAGE for document in replies):
        return _message(found)
    parts = [msgspec.json.encode(key) + b":" + _body(answer) for key, answer in found.items()]
    json = b"{" + b",".join(parts) + b"}"
    tensors = b"".join([_tensors(answer) for answer in found.values()])
    if not tensors:
        return Reply(200, JSON, Document(json))
    length = b"%d" % len(json)
    return Reply(200, (*BINARY, (JSON_LENGTH, length)), Packed(json + tensors, json_length=length))


def _message(found: Mapping[str, Answer | str]) -> Reply:
    """Of answers that a gRPC caller gets."""
    document, headers = gathered(
        {
            key: each.document if isinstance(each, Reply) else Document(_body(each))
            for key, each in found.items()
        }
    )
    return Reply(200, headers, document)


def _body(answer: Answer | str) -> bytes:
    if isinstance(answer, str):
        return error_body(answer)
    if isinstance(answer, Failure):
        return error_body(answer.cause)
    if answer.document.spliceable:
        return answer.document.json
    return error_body(NOT_JSON)


def _tensors(answer: Answer | str) -> bytes:
    """What stands behind the JSON of a V2 answer."""
    if not isinstance(answer, Reply):
        return b""
    document = answer.document
    if isinstance(document, Packed) and document.json_length and document.spliceable:
        return document.opened[len(document.json) :]
    return b""
