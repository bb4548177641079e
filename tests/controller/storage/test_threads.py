"""Blocking calls that outlive nobody's interest unseen."""

import asyncio
import threading

import pytest

from controller.storage.threads import in_thread, made_in_thread, stoppable_in_thread


async def cancelled_amid(waits: "asyncio.Task[object]", begun: threading.Event) -> None:
    while not begun.is_set():  # noqa: ASYNC110 - a thread says so
        await asyncio.sleep(0.001)
    waits.cancel()
    await asyncio.sleep(0)
    waits.cancel()  # whoever is impatient changes nothing


async def test_a_cancelled_call_has_ended_when_its_waiter_has() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def call() -> None:
        begun.set()
        may_end.wait()
        ended.set()

    async with asyncio.TaskGroup() as tasks:
        waits = tasks.create_task(in_thread(call))
        await cancelled_amid(waits, begun)
        await asyncio.sleep(0)
        assert not waits.done()
        may_end.set()
        await asyncio.wait((waits,))
    assert waits.cancelled()
    assert ended.is_set()


async def test_what_was_made_meanwhile_is_undone() -> None:
    begun, may_end = threading.Event(), threading.Event()
    undone: list[str] = []

    def make() -> str:
        begun.set()
        may_end.wait()
        return "made"

    async with asyncio.TaskGroup() as tasks:
        waits = tasks.create_task(made_in_thread(make, undone.append))
        await cancelled_amid(waits, begun)
        may_end.set()
        await asyncio.wait((waits,))
    assert undone == ["made"]


async def test_one_that_can_stop_is_told_to() -> None:
    begun = threading.Event()

    def call(stop: object) -> None:
        begun.set()
        while not stop():  # type: ignore[operator]
            pass

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        waits = tasks.create_task(stoppable_in_thread(call))
        await cancelled_amid(waits, begun)
        await asyncio.wait((waits,))
    assert waits.cancelled()


async def test_an_exception_comes_out() -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await in_thread(fail)
