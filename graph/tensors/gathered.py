"""The answers of an Ensemble's steps in one gRPC message, for gRPC has no objects.

Each tensor stands under KEY/NAME, with the key of its step; raw contents are not looked at. What is
no inference answer, an error mostly, is a parameter KEY/error with its text.
"""

from collections.abc import Mapping

from graph.document import Document
from graph.effects import Headers
from graph.tensors.convert import Protocol, decode, encode, protocol_of
from graph.tensors.model import Inference, Side, TensorError

ERROR = "error"


def gathered(parts: Mapping[str, Document]) -> tuple[Document, Headers]:
    made = Inference([])
    for key, part in parts.items():
        protocol = protocol_of(part, Side.ANSWER)
        try:
            found = None if protocol is None else decode(part, protocol, Side.ANSWER)
        except TensorError as error:
            made.parameters[f"{key}/{ERROR}"] = str(error)
            continue
        if found is None:
            made.parameters[f"{key}/{ERROR}"] = part.json.decode(errors="replace")
            continue
        made.id = made.id or found.id
        for tensor in found.tensors:
            tensor.name = f"{key}/{tensor.name}"
        made.tensors += found.tensors
        for name, value in found.parameters.items():  # of an Ensemble within
            if name.endswith(f"/{ERROR}"):
                made.parameters[f"{key}/{name}"] = value
    return encode(made, Protocol.GRPC, Side.ANSWER)
