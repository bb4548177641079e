"""A gRPC message as a Document: it travels as it is, and conditions see its JSON header.

This module does not import protobuf; the first look into a message does.
"""

from typing import ClassVar, Final

from graph.document import Document, Form
from graph.effects import Headers
from graph.tensors.model import Side

# What describes a message on its way through the graph, as Content-Type does in gRPC.
GRPC: Final = b"application/grpc"
HEADERS: Final[Headers] = ((b"content-type", GRPC),)


class Message(Document):
    """A ModelInferRequest or ModelInferResponse without its frame. Its `json` has the names of V2
    and no data; of a body that is no such message it is b"", which is no JSON.
    """

    form: ClassVar[Form] = Form.MESSAGE

    __slots__ = ("side",)

    def __init__(self, body: bytes, side: Side) -> None:
        super().__init__(body)
        del self.json  # found when first asked for
        self.side = side

    def __getattr__(self, name: str) -> bytes:
        if name != "json":
            raise AttributeError(name)
        from graph.tensors.grpc import header  # noqa: PLC0415

        self.json = header(self.body, self.side)
        return self.json
