"""The worker's half of the channel, with a data plane that only takes notes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from router.channel import (
    BrokenChannel,
    Channel,
    Configure,
    Drain,
    Drained,
    Explained,
    Install,
    Installed,
    Ready,
    Started,
    ToParent,
    ToWorker,
    Waiting,
    parent_end,
    worker_end,
)
from router.config import DataPlaneConfig, EndpointSource, GraphSource
from router.conversation import Worker


class Notes:
    """A data plane that refuses graphs called bad."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.finish = asyncio.Event()

    async def install(
        self, graphs: Sequence[GraphSource], endpoints: Mapping[str, EndpointSource]
    ) -> tuple[str, ...]:
        self.said.append(("install", *[graph.key for graph in graphs], *endpoints))
        return tuple(graph.key for graph in graphs if "bad" in graph.key)

    def listen(self, sockets: Sequence[socket.socket]) -> None:
        self.said.append("listen")

    def set_ready(self, ready: bool) -> None:
        self.said.append(("ready", ready))

    async def drain(self, limit_s: float) -> int:
        self.said.append(("drain", limit_s))
        await self.finish.wait()
        self.said.append("drained")
        return 7

    def close(self) -> None:
        self.said.append("close")


Parent = Channel[ToWorker, ToParent]


@asynccontextmanager
async def talking(notes: Notes) -> AsyncIterator[tuple[Parent, "asyncio.Task[None]"]]:
    ours, theirs = socket.socketpair()
    parent = await parent_end(ours)
    worker = Worker(await worker_end(theirs), lambda config, waiting, explained: notes, ())
    async with asyncio.TaskGroup() as tasks:
        yield parent, tasks.create_task(worker.run())
        parent.close()


def install(number: int, *keys: str) -> Install:
    return Install(number, tuple(GraphSource(key, b"{}") for key in keys), {})


async def test_from_start_to_drain() -> None:
    notes = Notes()
    async with talking(notes) as (parent, run):
        await parent.send(Configure(DataPlaneConfig()))
        assert await parent.receive() == Started()
        await parent.send(install(1, "ns/a"))
        assert await parent.receive() == Installed(1)
        await parent.send(install(2, "ns/b"))
        assert await parent.receive() == Installed(2)
        await parent.send(Ready(False))
        await parent.send(Drain(5.0))
        notes.finish.set()
        assert await parent.receive() == Drained(cut_off=7)
        assert await parent.receive() is None
        await run
    assert notes.said == [
        ("install", "ns/a"),
        "listen",
        ("install", "ns/b"),
        ("ready", False),
        ("drain", 5.0),
        "drained",
    ]


async def test_the_parent_hears_at_once_of_services_that_are_waited_for() -> None:
    made: list[Callable[[str], None]] = []

    def make(_: DataPlaneConfig, waiting: Callable[[str], None], *__: object) -> Notes:
        made.append(waiting)
        return Notes()

    ours, theirs = socket.socketpair()
    parent = await parent_end(ours)
    worker = Worker(await worker_end(theirs), make, ())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run())
        await parent.send(Configure(DataPlaneConfig()))
        assert await parent.receive() == Started()
        for service in ("ns/a", "ns/b", "ns/a"):
            made[0](service)
        assert await parent.receive() == Waiting(("ns/a", "ns/b"))
        made[0]("ns/a")
        assert await parent.receive() == Waiting(("ns/a",))
        parent.close()


async def test_the_parent_gets_the_newest_records_of_requests() -> None:
    made: list[Callable[[bytes], None]] = []

    def make(_: DataPlaneConfig, __: object, explained: Callable[[bytes], None]) -> Notes:
        made.append(explained)
        return Notes()

    ours, theirs = socket.socketpair()
    parent = await parent_end(ours)
    worker = Worker(await worker_end(theirs), make, ())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run())
        await parent.send(Configure(DataPlaneConfig(explain_kept=2)))
        assert await parent.receive() == Started()
        for record in (b"1", b"2", b"3"):
            made[0](record)
        assert await parent.receive() == Explained((b"2", b"3"))
        made[0](b"4")
        assert await parent.receive() == Explained((b"4",))
        parent.close()


async def test_it_listens_only_once_something_good_is_installed() -> None:
    notes = Notes()
    async with talking(notes) as (parent, _):
        await parent.send(Configure(DataPlaneConfig()))
        await parent.send(install(1, "ns/bad"))
        await parent.send(install(2, "ns/good"))
        assert await parent.receive() == Started()
        assert await parent.receive() == Installed(1, ("ns/bad",))
        assert await parent.receive() == Installed(2)
    assert notes.said == [("install", "ns/bad"), ("install", "ns/good"), "listen", "close"]


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="before it is configured"),
        pytest.param([Configure(DataPlaneConfig())], id="before it serves"),
        pytest.param([Configure(DataPlaneConfig()), install(1, "ns/a")], id="while it serves"),
        pytest.param(
            [Configure(DataPlaneConfig()), install(1, "ns/a"), Drain(600.0)], id="while it drains"
        ),
    ],
)
async def test_it_ends_with_its_parent(messages: list[ToWorker]) -> None:
    notes = Notes()
    async with talking(notes) as (parent, run):
        for message in messages:
            await parent.send(message)
        parent.close()
        async with asyncio.timeout(10):
            await run
    assert "drained" not in notes.said


async def test_a_parent_that_begins_in_the_middle_is_a_bug() -> None:
    ours, theirs = socket.socketpair()
    parent = await parent_end(ours)
    await parent.send(Ready(True))
    with pytest.raises(BrokenChannel, match="before Configure"):
        await Worker(await worker_end(theirs), lambda config, *_: Notes(), ()).run()
    parent.close()
