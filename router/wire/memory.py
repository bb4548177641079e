"""Heads that were parsed before.

A connection's heads hardly differ from one message to the next, and one predictor's answers differ
in their Date at most. Parsing is a pure function of the bytes, so equal bytes get the head that was
made of them before; nobody changes a head. A hit costs a tenth of a parse, a miss a hash more.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

ENTRIES = 512
SIZE_BYTES = 2048  # with the count it bounds the memory at 1 MiB of keys


class Remembered(Generic[T]):
    """`parse` with a memory. What it refuses is not remembered."""

    __slots__ = ("_known", "_parse")

    def __init__(self, parse: Callable[[bytes], T]) -> None:
        self._parse = parse
        self._known: dict[bytes, T] = {}

    def __call__(self, head: bytes) -> T:
        found = self._known.get(head)
        if found is None:
            found = self._parse(head)
            if len(head) <= SIZE_BYTES:
                if len(self._known) >= ENTRIES:
                    self._known.clear()  # heads that are in use come back at once
                self._known[head] = found
        return found
