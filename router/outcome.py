"""The outcome of a graph in the words of its caller, where the two differ.

Mostly they do not: a call's answer comes back as its request was (`router.bridge`). But a graph may
answer a gRPC caller with JSON that a mapping made, or a REST caller with the message of a gRPC
step, or with JSON where binary outputs were asked for.
"""

import logging

from graph.document import Document, Form
from graph.effects import Failure, FailureKind, Headers, Reply
from graph.tensors.crossing import outcome_for
from graph.tensors.model import TensorError
from graph.tensors.v2 import WANTED
from router.messages import Request

log = logging.getLogger("graphway.outcome")

PLAIN = Form.PLAIN  # found faster, and every answer comes by here
_WANTED = WANTED.encode()
_DESCRIBING = frozenset({b"content-type", b"content-encoding", b"inference-header-content-length"})
_LOOKED_AT = 512  # bytes at either end of a JSON request, where clients write its parameters


def differs(request: Request, outcome: Reply) -> bool:
    """Whether it is worth a look; decided without one into bodies that may be long."""
    asked, form = request.document.form, outcome.document.form
    if request.upload is not None:  # nobody has seen what it asks for
        return outcome.ok and form is Form.MESSAGE
    if asked is PLAIN is form:
        if not request.head.infers:
            return False
        body = request.document.body
        return outcome.ok and (_WANTED in body[:_LOOKED_AT] or _WANTED in body[-_LOOKED_AT:])
    return outcome.ok and asked is not form and not (asked is PLAIN and form is Form.BINARY)


def fitted(request: Request, outcome: Reply) -> Reply | Failure:
    """The outcome as the caller can read it."""
    words = "the answer cannot be converted for the caller"
    try:
        asked = request.document if request.upload is None else Document(b"")
        made = outcome_for(asked, outcome.document)
    except TensorError as error:
        return Failure(FailureKind.INVALID_ANSWER, f"{words}: {error}")
    except Exception:
        log.exception("%s", words)
        return Failure(FailureKind.INTERNAL, "internal error")
    if made is None:
        return outcome
    document, described = made
    others: Headers = tuple([pair for pair in outcome.headers if pair[0] not in _DESCRIBING])
    return Reply(outcome.status, described + others, document)
