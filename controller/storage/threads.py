"""Blocking calls beside the event loop, waited for to their end even when the waiter is cancelled.

`asyncio.to_thread` returns at once when it is cancelled, while its thread goes on: it would write
to a descriptor that has been closed, and that may by then be another file's.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The call has ended when this has; for short ones, since it cannot be stopped."""
    return await _whole(partial(call, *args, **kwargs))


async def stoppable_in_thread(call: Callable[[Callable[[], bool]], T]) -> T:
    """The call gets a question, to be asked now and then: shall it stop?"""
    stop = threading.Event()
    return await _whole(partial(call, stop.is_set), on_cancel=stop.set)


async def made_in_thread(call: Callable[[], T], undo: Callable[[T], None]) -> T:
    """What was made while this was cancelled is undone."""
    return await _whole(call, undo=undo)


async def _whole(
    call: Callable[[], T],
    *,
    on_cancel: Callable[[], None] | None = None,
    undo: Callable[[T], None] | None = None,
) -> T:
    running = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if on_cancel is not None:
            on_cancel()
        while not running.done():
            try:
                await asyncio.wait((running,))
            except asyncio.CancelledError:
                continue  # asked again to stop what is stopping
        if not running.exception() and undo is not None:
            undo(running.result())
        raise
