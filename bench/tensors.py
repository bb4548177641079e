"""`python -m bench.tensors`: CPU of one tensor's way from one protocol to another, in this process.

A tensor of FP32 random numbers, 1 MB raw unless told otherwise. No sockets: what is timed is what
the bridge adds to a call. The least of some runs.
"""

import random
import struct
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

from graph.chaining import predictions_to_instances
from graph.document import Document
from graph.effects import Payload
from graph.packed import Packed
from graph.tensors.convert import Protocol, decode, encode
from graph.tensors.message import Message
from graph.tensors.model import Inference, Side, Tensor

RUNS = 7
WAYS: dict[str, tuple[Protocol, dict[str, Any]]] = {
    "V1": (Protocol.V1, {}),
    "V2 JSON": (Protocol.V2, {}),
    "V2 binary": (Protocol.V2, {"in_binary": lambda name: True}),
    "gRPC": (Protocol.GRPC, {}),
}


def least_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        began = process_time()
        work()
        times.append(process_time() - began)
    return min(times) * 1e3


def made(count: int, side: Side) -> dict[str, Document]:
    values = random.Random(1)
    raw = struct.pack(f"<{count}f", *(values.gauss(0, 1) for _ in range(count)))
    inference = Inference([Tensor("x", "FP32", (1, count), {}, raw)], "model")
    return {name: encode(inference, way, side, **how)[0] for name, (way, how) in WAYS.items()}


def fresh(document: Document) -> Document:
    """The same body, into which nobody has looked."""
    if isinstance(document, Packed):
        return Packed(document.body, document.coding, document.json_length)
    if isinstance(document, Message):
        return Message(document.body, document.side)
    return Document(document.body)


def main(count: int) -> None:
    requests = made(count, Side.REQUEST)
    for name, document in requests.items():
        print(f"{name:10} {len(document.body):>10,} bytes")
    print(f"\n{'CPU ms':10}" + "".join(f"{'to ' + name:>14}" for name in WAYS))
    for name, document in requests.items():
        source = WAYS[name][0]
        row = f"{name:10}"
        for other, (target, how) in WAYS.items():
            if other == name:
                row += f"{'-':>14}"
                continue
            took = least_ms(
                lambda d=document, s=source, t=target, h=how: encode(  # type: ignore[misc]
                    decode(d, s, Side.REQUEST), t, Side.REQUEST, **h
                )
            )
            row += f"{took:>14.3f}"
        print(row)
    print("\nanswer -> request of the next step")
    for name, document in made(count, Side.ANSWER).items():
        took = least_ms(
            lambda d=document: predictions_to_instances(Payload(fresh(d), ()))  # type: ignore[misc]
        )
        print(f"{name:10}{took:>14.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 262_144)
