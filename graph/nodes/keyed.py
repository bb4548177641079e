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
from graph.tensors.v2 import binary_size

CUT = "the answer's tensors are longer or shorter than it says"
BINARY: Headers = ((b"content-type", b"application/octet-stream"),)
PLAIN = Form.PLAIN  # found faster, and every answer of an Ensemble comes by here


def keyed(
    node: PlanNode, answers: Sequence[Answer | None], left_out: Sequence[str | None] = ()
) -> Reply:
    """`left_out` says of steps without an answer why; others' answers stand under their key,
    whatever their status.
    """
    # A dict, because two steps may share a key (a step named "1" beside an unnamed second one): the
    # later wins.
    found: dict[bytes, Answer | str] = {}
    plain = True
    for index, step in enumerate(node.steps):
        answer = answers[index]
        if answer is not None:
            found[step.label] = answer
            plain = plain and (isinstance(answer, Failure) or answer.document.form is PLAIN)
        elif left_out and (reason := left_out[index]) is not None:
            found[step.label] = reason
    if plain:
        pairs = [label + _body(answer) for label, answer in found.items()]
        return Reply(200, JSON, Document(b"{" + b",".join(pairs) + b"}"))
    if any(_is_message(answer) for answer in found.values()):
        return _message(found)
    parts = [_with_tensors(answer) for answer in found.values()]
    pairs = [label + body for label, (body, _) in zip(found, parts, strict=True)]
    json = b"{" + b",".join(pairs) + b"}"
    tensors = b"".join([behind for _, behind in parts])
    if not tensors:
        return Reply(200, JSON, Document(json))
    length = b"%d" % len(json)
    return Reply(200, (*BINARY, (JSON_LENGTH, length)), Packed(json + tensors, json_length=length))


def _is_message(answer: Answer | str) -> bool:
    return isinstance(answer, Reply) and answer.document.form is Form.MESSAGE


def _message(found: Mapping[bytes, Answer | str]) -> Reply:
    """Of answers that a gRPC caller gets."""
    document, headers = gathered(
        {
            msgspec.json.decode(label[:-1]): each.document
            if isinstance(each, Reply)
            else Document(_body(each))
            for label, each in found.items()
        }
    )
    return Reply(200, headers, document)


def _body(answer: Answer | str) -> bytes:
    if isinstance(answer, Reply):
        return answer.document.json if answer.document.spliceable else error_body(NOT_JSON)
    return error_body(answer.cause if isinstance(answer, Failure) else answer)


def _with_tensors(answer: Answer | str) -> tuple[bytes, bytes]:
    """The JSON, and what stands behind it in a V2 answer."""
    body, document = _body(answer), getattr(answer, "document", None)
    if not isinstance(document, Packed) or not document.json_length or not document.spliceable:
        return body, b""
    tensors = document.opened[len(document.json) :]
    if binary_size(document.json) not in {None, len(tensors)}:
        return error_body(CUT), b""  # or the tensors of all that follow would be shifted
    return body, tensors
