"""The queue of keys on virtual time: each looked at soon, never twice at once, failures later."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from controller.queue import FIRST_RETRY_S, LONGEST_RETRY_S, Queue

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Work:
    """Remembers when it looked at what; a look lasts `lasts_s`, and fails `fails` times."""

    def __init__(self, lasts_s: float = 0.0, fails: int = 0) -> None:
        self.looks: list[tuple[float, str]] = []
        self.failures: list[float] = []
        self.at_once = self.most_at_once = 0
        self.again_s: float | None = None
        self.on_look: Callable[[str], None] = lambda _: None
        self._lasts_s = lasts_s
        self._fails = fails

    async def look(self, key: str) -> float | None:
        self.looks.append((asyncio.get_running_loop().time(), key))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.on_look(key)
            await asyncio.sleep(self._lasts_s)
            if self._fails > len(self.failures):
                raise RuntimeError("told to fail")
            return self.again_s
        finally:
            self.at_once -= 1

    def failed(self, _key: str, _bug: Exception, pause_s: float) -> None:
        self.failures.append(pause_s)


@asynccontextmanager
async def running(work: Work, at_once: int = 8) -> AsyncIterator[Queue[str]]:
    queue = Queue(work.look, work.failed, at_once=at_once)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(queue.run())
        try:
            yield queue
        finally:
            task.cancel()


async def test_many_adds_before_a_look_are_one_look() -> None:
    work = Work()
    async with running(work) as queue:
        for _ in range(100):
            queue.add("a")
        await queue.settled()
        assert work.looks == [(0.0, "a")]


async def test_what_is_added_during_its_look_is_looked_at_once_more() -> None:
    work = Work(lasts_s=1.0)
    async with running(work) as queue:
        queue.add("a")
        await asyncio.sleep(0.5)
        queue.add("a")
        queue.add("a")
        await queue.settled()
        assert work.looks == [(0.0, "a"), (1.0, "a")]
        assert work.most_at_once == 1


async def test_keys_do_not_wait_for_one_another_up_to_a_number() -> None:
    work = Work(lasts_s=1.0)
    async with running(work, at_once=2) as queue:
        for key in "abc":
            queue.add(key)
        await queue.settled()
        assert work.looks == [(0.0, "a"), (0.0, "b"), (1.0, "c")]
        assert work.most_at_once == 2


async def test_a_failed_look_is_repeated_ever_more_slowly() -> None:
    work = Work(fails=12)
    async with running(work) as queue:
        queue.add("a")
        await asyncio.sleep(1000.0)
        assert len(work.looks) == 13
        assert work.failures[:3] == [FIRST_RETRY_S, 2 * FIRST_RETRY_S, 4 * FIRST_RETRY_S]
        assert work.failures[-1] == LONGEST_RETRY_S
        times = [at for at, _ in work.looks]
        pauses = [after - before for before, after in pairwise(times)]
        assert pauses == pytest.approx(work.failures)


async def test_a_good_look_begins_a_new_count_of_failures() -> None:
    work = Work(fails=2)
    async with running(work) as queue:
        queue.add("a")
        await asyncio.sleep(10.0)
        work._fails = 3
        queue.add("a")
        await asyncio.sleep(10.0)
        assert work.failures == [FIRST_RETRY_S, 2 * FIRST_RETRY_S, FIRST_RETRY_S]


async def test_an_add_does_not_wait_for_the_pause_of_a_failure() -> None:
    work = Work(fails=1)
    async with running(work) as queue:
        queue.add("a")
        await queue.settled()
        queue.add("a")
        await queue.settled()
        await asyncio.sleep(10.0)
        assert [at for at, _ in work.looks] == [0.0, 0.0]


async def test_a_look_may_ask_for_the_next_one() -> None:
    work = Work()
    work.again_s = 5.0
    async with running(work) as queue:
        queue.add("a")
        await asyncio.sleep(12.0)
        assert [at for at, _ in work.looks] == [0.0, 5.0, 10.0]


async def test_a_look_that_adds_its_own_key_comes_again() -> None:
    work = Work()
    async with running(work) as queue:
        work.on_look = lambda key: queue.add(key) if len(work.looks) < 3 else None
        queue.add("a")
        await queue.settled()
        assert len(work.looks) == 3


async def test_nothing_is_left_at_its_end() -> None:
    work = Work(lasts_s=100.0, fails=1)
    async with running(work) as queue:
        queue.add("a")
        await asyncio.sleep(1.0)
    await asyncio.sleep(1000.0)
    assert len(work.looks) == 1
    assert work.at_once == 0
