"""Waiting for a condition: polled until it holds or a deadline passes, so that no test guesses
how long things take.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

DEADLINE_S = 10.0
POLL_S = 0.005
T = TypeVar("T")


async def eventually(
    condition: Callable[[], T], what: str = "", deadline_s: float = DEADLINE_S
) -> T:
    """What the condition returned once it was true."""
    ends = time.monotonic() + deadline_s
    while not (held := condition()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {deadline_s} s: {what or condition}")
        await asyncio.sleep(POLL_S)
    return held


async def eventually_awaited(
    condition: Callable[[], Awaitable[T]], what: str = "", deadline_s: float = DEADLINE_S
) -> T:
    """The same for a condition that must itself ask somebody."""
    ends = time.monotonic() + deadline_s
    while not (held := await condition()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {deadline_s} s: {what or condition}")
        await asyncio.sleep(POLL_S)
    return held
