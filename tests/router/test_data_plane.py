"""A worker's data plane as its parent drives it."""

import asyncio

from router.config import DataPlaneConfig, GraphSource
from router.counters import Block, Counters
from router.data_plane import DataPlane
from tests.router.whole import source
from tests.scripts import sequence, step


async def turns_while_installing(*graphs: GraphSource) -> tuple[int, tuple[str, ...]]:
    """How often the loop came round before these graphs served, and what was wrong with them."""
    loop = asyncio.get_running_loop()
    plane = DataPlane(DataPlaneConfig(), Counters(Block.create(1 << 20)), loop)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as tasks:
        turning = tasks.create_task(turn())
        problems = await plane.install(graphs, {})
        turning.cancel()
    plane.close()
    return turns, problems


async def test_requests_go_on_while_graphs_are_compiled() -> None:
    """If the loop itself compiled, it would not come round at all."""
    nodes = {"root": sequence(*(step(f"n{index}", node=f"n{index}") for index in range(500)))}
    nodes |= {f"n{index}": sequence(step("a")) for index in range(500)}
    turns, problems = await turns_while_installing(source("wide", nodes))
    assert problems == ()
    assert turns > 10


async def test_what_cannot_be_compiled_is_said() -> None:
    _, problems = await turns_while_installing(GraphSource("test/bad", b"{}"))
    assert len(problems) > 0
    assert all(problem.startswith("test/bad: ") for problem in problems)
