"""How much may be converted, element by element: while it is, a worker serves nobody else.

Raw data that stays raw is not bounded here. Of JSON what would become Python objects is counted
before anything is parsed: a small body of very many tiny parts takes the most memory and time.
"""

from typing import Final

MAX_NUMBERS: Final = 10_000_000  # up to 1.5 s of V1, 0.6 s out of raw
MAX_BYTES: Final = 2_000_000  # elements of BYTES, each of which costs a step of Python
MAX_PARTS: Final = 1_000_000  # arrays and objects of JSON
MAX_TYPED_BYTES: Final = 32 * 1024 * 1024  # of a gRPC message without its raw contents
SMALL: Final = MAX_PARTS  # bytes, among which there cannot be too many parts

NUMBERS = f"more than {MAX_NUMBERS:,} elements cannot go into JSON, nor come out of it"
BYTES = f"more than {MAX_BYTES:,} elements of BYTES cannot be converted"
PARTS = f"more than {MAX_PARTS:,} arrays and objects cannot be converted"
TYPED = f"more than {MAX_TYPED_BYTES:,} bytes besides raw contents; write tensors as raw contents"


def excess(body: bytes) -> str | None:
    """What is too much in this JSON. Commas and braces within texts count too."""
    if len(body) <= SMALL:
        return None
    if body.count(b"[") + body.count(b"{") > MAX_PARTS:
        return PARTS
    if body.count(b'"') > 2 * MAX_BYTES + MAX_PARTS:
        return BYTES
    return NUMBERS if body.count(b",") > MAX_NUMBERS else None
