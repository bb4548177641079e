"""A request that goes over into the protocol of its target, and the answer that comes back into the
caller's.

The answer speaks as the request did: a gRPC message gets a message, V1 rows get rows, V2 gets V2,
in binary where the request asked for it and JSON else. The id of the request comes back whatever
the target made of it.
"""

from dataclasses import replace

from graph.document import Document, Form
from graph.effects import Headers
from graph.tensors import v2
from graph.tensors.convert import Protocol, decode, encode, protocol_of
from graph.tensors.model import Side, TensorError


class Crossing:
    """`document` and `headers` are what the target gets. Raises TensorError."""

    __slots__ = ("document", "headers", "request", "source", "target")

    def __init__(
        self, given: Document, source: Protocol, target: Protocol, *, binary: bool
    ) -> None:
        """`binary`: the target is V2 and knows the binary extension."""
        self.source = source
        self.target = target
        self.request = decode(given, source, Side.REQUEST)
        sent = self.request
        if binary:
            sent = replace(sent, parameters={**sent.parameters, v2.ALL_WANTED: True})
        self.document, self.headers = encode(
            sent, target, Side.REQUEST, (lambda name: True) if binary else None
        )

    def back(self, answer: Document) -> tuple[Document, Headers]:
        found = decode(answer, self.target, Side.ANSWER)
        found.id = self.request.id or found.id
        found.model = found.model or self.request.model
        wanted = v2.wants_binary(self.request) if self.source is Protocol.V2 else None
        return encode(found, self.source, Side.ANSWER, wanted)


def outcome_for(request: Document, answer: Document) -> tuple[Document, Headers] | None:
    """An answer in the words of the request's protocol; None if it speaks them already, or if
    either is no inference that we know. A message is for gRPC callers only: others get V2. Raises
    TensorError.
    """
    asked = protocol_of(request, Side.REQUEST)
    spoken = protocol_of(answer, Side.ANSWER)
    if asked is None:
        if spoken is not Protocol.GRPC:
            return None
        return encode(decode(answer, spoken, Side.ANSWER), Protocol.V2, Side.ANSWER)
    if spoken is None:
        if asked is Protocol.GRPC:
            raise TensorError("it is no inference answer, and gRPC has no other")
        return None
    if asked is spoken and (asked is not Protocol.V2 or answer.form is Form.BINARY):
        return None
    said = decode(request, asked, Side.REQUEST)
    wanted = v2.wants_binary(said) if asked is Protocol.V2 else None
    if asked is spoken and not v2.asks_binary(said):
        return None
    found = decode(answer, spoken, Side.ANSWER)
    found.id = said.id or found.id
    found.model = found.model or said.model
    return encode(found, asked, Side.ANSWER, wanted)
