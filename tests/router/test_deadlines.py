"""Time limits on virtual time."""

import asyncio

import pytest

from router.deadlines import CROWDED, Deadlines, Timer

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Noted:
    """Limits by name, and when each expired."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.deadlines = Deadlines(self.loop)
        self.expired: list[tuple[str, float]] = []

    def start(self, limit_s: float, name: str) -> Timer:
        return self.deadlines.start(limit_s, lambda: self._note(name))

    def _note(self, name: str) -> None:
        self.expired.append((name, round(self.loop.time() - self.began, 3)))


async def test_limits_expire_when_due_in_their_order() -> None:
    noted = Noted()
    noted.start(3, "long")
    noted.start(1, "short")
    await asyncio.sleep(0.5)
    noted.start(1, "later")
    await asyncio.sleep(5)
    assert noted.expired == [("short", 1.0), ("later", 1.5), ("long", 3.0)]


async def test_a_limit_that_was_met_does_not_expire() -> None:
    noted = Noted()
    timers = [noted.start(1, name) for name in "abc"]
    timers[1].met()
    await asyncio.sleep(0.5)
    timers[0].met()
    timers[0].met()
    await asyncio.sleep(5)
    assert noted.expired == [("c", 1.0)]
    timers[2].met()


async def test_a_limit_may_end_another_that_is_due_with_it() -> None:
    noted = Noted()
    timers: list[Timer] = []

    def ends_the_other() -> None:
        timers[0].met()

    noted.deadlines.start(1, ends_the_other)
    timers.append(noted.start(1, "second"))
    await asyncio.sleep(2)
    assert noted.expired == []


async def test_a_limit_may_begin_another_of_its_length() -> None:
    noted = Noted()

    def again() -> None:
        noted.start(1, "next")

    noted.deadlines.start(1, again)
    await asyncio.sleep(5)
    assert noted.expired == [("next", 2.0)]


async def test_a_fault_in_one_does_not_keep_the_others() -> None:
    noted = Noted()
    faults: list[object] = []
    noted.loop.set_exception_handler(lambda loop, context: faults.append(context["exception"]))

    def fails() -> None:
        raise ZeroDivisionError

    noted.deadlines.start(1, fails)
    noted.start(1, "with it")
    await asyncio.sleep(0.25)
    noted.start(1, "behind it")
    await asyncio.sleep(5)
    assert [name for name, _ in noted.expired] == ["with it", "behind it"]
    assert [type(fault) for fault in faults] == [ZeroDivisionError]


async def test_closed_limits_never_expire() -> None:
    noted = Noted()
    noted.start(1, "a")
    noted.deadlines.close()
    await asyncio.sleep(5)
    assert noted.expired == []


async def test_lengths_that_callers_choose_leave_nothing_behind() -> None:
    """Each of them once cost a queue and a timer for as long as it said."""
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(loop)
    for milliseconds in range(10 * CROWDED):
        deadlines.start(86_400 + milliseconds / 1000, lambda: None).met()
    scheduled = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    assert len(scheduled) <= CROWDED + 1
    deadlines.close()


async def test_many_lengths_at_once_all_expire() -> None:
    noted = Noted()
    for number in range(3 * CROWDED):
        noted.start(1 + number / 1000, str(number))
    await asyncio.sleep(5)
    assert [name for name, _ in noted.expired] == [str(n) for n in range(3 * CROWDED)]
