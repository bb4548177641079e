"""Services as processes: they become ready, come back after a crash, and leave nothing behind."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import psutil
import pytest

from controller.local import shell
from controller.local.progress import Phase
from tests.controller.backend import OFTEN, TCP_PROBE, Watcher, alive, controller_of, fake, running
from tests.kit.eventually import eventually


async def die(address: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{address}/die")


def ready_again(watcher: Watcher, times: int) -> bool:
    return len(watcher.seen(Phase.READY)) >= times


async def test_a_service_that_is_ready_has_an_address(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as (controller, watcher):
        async with asyncio.timeout(10):
            await controller.wait_ready()
        endpoint = watcher.endpoints["default/iris"]
        assert endpoint.path == "/v1/models/iris:predict"
        (address,) = endpoint.addresses
        async with aiohttp.ClientSession() as session, session.get(f"{address}/ready") as answer:
            assert answer.status == 200
    assert not alive(watcher.pids()[0])
    assert [phase for _, phase, _ in watcher.phases] == [
        Phase.PREPARING,
        Phase.STARTING,
        Phase.READY,
        Phase.STOPPED,
    ]


async def test_until_its_probe_answers_it_has_none(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    async with running(tmp_path, fake("iris", "late", str(loaded)), fake("b")) as (both, watcher):
        await eventually(lambda: watcher.address("b"))
        await eventually(lambda: [line for key, line in watcher.lines if key == "default/iris"])
        assert watcher.address("iris") is None
        assert both.waiting == ["default/iris"]
        loaded.touch()
        await eventually(lambda: watcher.address("iris"))
        assert both.waiting == []


async def test_a_service_that_ends_is_started_again(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as (_, watcher):
        await die(await eventually(watcher.address))
        await eventually(lambda: watcher.address() is None)
        await eventually(lambda: ready_again(watcher, 2))
        first, second = watcher.pids()
        assert not alive(first)
        assert alive(second)
        (detail,) = watcher.seen(Phase.CRASHED)
        assert "status 3: told to die" in detail
        assert "it starts again (see" in detail


async def test_a_service_that_cannot_start_says_why_and_is_tried_ever_more_slowly(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, fake("iris", "broken")) as (_, watcher):
        await eventually(lambda: len(watcher.seen(Phase.CRASHED)) >= 3)
        first, second, third = watcher.seen(Phase.CRASHED)[:3]
        assert "cannot load the model; it starts again (see" in first
        assert "it starts again in 1 s" in second
        assert "it starts again in 2 s" in third


async def test_the_children_of_a_dead_server_die_before_it_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "CHILDREN_S", 0.2)
    async with running(tmp_path, fake("iris", "child"), grace_s=0.2) as (_, watcher):
        await eventually(watcher.address)
        (child,) = watcher.pids("child")
        os.kill(watcher.pids()[0], signal.SIGKILL)
        await eventually(lambda: ready_again(watcher, 2))
        assert not alive(child)
        assert "SIGKILL" in watcher.seen(Phase.CRASHED)[0]


async def test_in_the_end_whoever_ignores_sigterm_is_killed_with_its_children(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, fake("iris", "stubborn", "child"), grace_s=0.2) as (_, watcher):
        await eventually(watcher.address)
        (server,), (child,) = watcher.pids(), watcher.pids("child")
        assert alive(server)
        assert alive(child)
    assert not alive(server)
    assert not alive(child)
    assert not list((tmp_path / "runs").iterdir())


async def test_what_no_longer_answers_is_not_called_until_it_does(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    loaded.touch()
    async with running(tmp_path, fake("iris", "late", str(loaded), probe=OFTEN)) as (_, watcher):
        await eventually(watcher.address)
        loaded.unlink()
        await eventually(lambda: watcher.address() is None)
        assert watcher.seen(Phase.UNREADY)
        loaded.touch()
        await eventually(watcher.address)
        assert len(watcher.pids()) == 1  # it was never started again


async def test_what_a_server_prints_is_in_its_log_and_told_line_by_line(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as (_, watcher):
        await eventually(watcher.address)
        log = (tmp_path / "logs" / "default" / "iris.log").read_text()
        (line,) = [line for key, line in watcher.lines if key == "default/iris"]
        assert line == log.strip()
        assert line.startswith("listening as")


async def test_without_services_it_waits_for_its_end(tmp_path: Path) -> None:
    async with running(tmp_path) as (controller, watcher):
        async with asyncio.timeout(10):
            await controller.wait_ready()
        assert watcher.endpoints == {}


async def test_who_cannot_wait_for_the_stubborn_kills_them(tmp_path: Path) -> None:
    watcher = Watcher()
    controller = controller_of(tmp_path, watcher, fake("iris", "stubborn"), grace_s=600.0)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(controller.run())
        await eventually(watcher.address)
        (server,) = watcher.pids()
        task.cancel()
        await eventually(lambda: watcher.address() is None)
        assert alive(server)
        controller.kill()
    assert not alive(server)


async def test_a_probe_may_be_a_mere_connection(tmp_path: Path) -> None:
    late = ("late", str(tmp_path / "never"))
    async with running(tmp_path, fake("iris", *late, probe=TCP_PROBE)) as (_, watcher):
        await eventually(watcher.address)


async def test_a_service_runs_in_the_environment_that_it_asks_for(tmp_path: Path) -> None:
    annotations = "{graphway.dev/python-packages: ''}"
    text = fake(python="python", annotations=annotations)
    async with running(tmp_path, text) as (_, watcher):
        await eventually(watcher.address)
        assert watcher.seen(Phase.PREPARING) == ["", "making its environment"]
        (server,) = watcher.pids()
        env = Path(psutil.Process(server).environ()["VIRTUAL_ENV"])
    assert env.parent == tmp_path / "envs"


async def test_an_environment_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    annotations = "{graphway.dev/python-packages: ./absent.whl}"
    async with running(tmp_path, fake(annotations=annotations)) as (_, watcher):
        await eventually(lambda: watcher.seen(Phase.CRASHED), deadline_s=60)
        assert "absent.whl" in watcher.seen(Phase.CRASHED)[0]
        assert watcher.address() is None


async def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    async with running(tmp_path, fake()) as (_, watcher):
        await eventually(lambda: watcher.seen(Phase.CRASHED))
        assert "cannot be started" in watcher.seen(Phase.CRASHED)[0]
