"""Real processes: they become ready, crash, hang, outgrow limits, ignore signals, and leave nothing
behind.
"""

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from controller.local import probe, shell
from controller.local.gpus import Device, FixedInventory
from controller.local.home import Home
from controller.local.ports import Ports
from controller.local.replica import Exec, Grpc, Phase, Probe, Reason, TcpSocket
from controller.local.settings import LocalSettings
from tests.controller.backend import alive
from tests.controller.local.replicas import KEY, NO_GPUS, READY, Replicas, replicas
from tests.kit.eventually import eventually

SOON = Probe(READY.ask, period_s=0.05, timeout_s=0.2, failures=2)


async def test_a_replica_becomes_ready_and_in_the_end_nothing_is_left(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server("child"))
        state = await here.until(Phase.READY)
        assert await here.ask("/ready") == 200
        assert here.pids() == [state.pid]
        pids = [*here.pids(), *here.pids("child")]
    assert not any(map(alive, pids))
    assert list((tmp_path / "runs").iterdir()) == []
    assert here.phases() == [
        Phase.PENDING,
        Phase.STARTING,
        Phase.READY,
        Phase.STOPPING,
        Phase.STOPPED,
    ]
    assert here.backend.states() == {}


async def test_a_crash_at_the_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server("broken"))
        await eventually(lambda: here.state().reason == Reason.CRASH_LOOP)
        state = here.state()
        assert state.restarts == 1  # at once; the next one waits
        assert state.last_end is not None
        assert (state.last_end.exit_code, state.last_end.signal) == (1, None)
        assert state.last_end.last_lines == ("cannot load the model",)
        assert state.message == (
            "it ended with status 1: cannot load the model; it starts again in 10 s"
        )


async def test_a_crash_later_is_followed_by_another_life(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server())
        await here.until(Phase.READY)
        assert await here.ask("/die") is None
        state = await here.until_restarted()
        assert state.last_end is not None
        assert (state.last_end.reason, state.last_end.exit_code) == (Reason.ERROR, 3)
        first, second = here.pids()
        assert not alive(first)
        assert state.pid == second


async def test_a_killed_process_tells_the_signal(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server())
        state = await here.until(Phase.READY)
        assert state.pid is not None
        os.kill(state.pid, signal.SIGKILL)
        state = await here.until_restarted()
        assert state.last_end is not None
        assert (state.last_end.signal, state.last_end.exit_code) == ("SIGKILL", 137)


async def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server(argv=("no-such-program",)))
        await eventually(lambda: here.state().reason == Reason.CRASH_LOOP)
        end = here.state().last_end
        assert end is not None
        assert (end.exit_code, end.last_lines[-1]) == (
            127,
            "no-such-program cannot be run: No such file or directory",
        )


async def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server())
        await eventually(lambda: here.state().reason == Reason.CRASH_LOOP)
        end = here.state().last_end
        assert end is not None
        assert (end.reason, end.exit_code) == (Reason.CANNOT_START, None)
        assert "it cannot be started" in end.message


async def test_who_hangs_is_ended_by_its_liveness_probe_and_starts_again(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(
            KEY,
            here.server(startup=replace(READY, failures=200), liveness=SOON, readiness=SOON),
        )
        await here.until(Phase.READY)
        await here.ask("/hang")
        state = await here.until_restarted()
        assert state.last_end is not None
        assert state.last_end.reason is Reason.UNHEALTHY
        assert state.last_end.message == "its liveness probe fails: no answer within 0.2 s"
        assert Phase.NOT_READY in here.phases()


async def test_who_never_comes_up_is_ended_by_its_startup_probe(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        late = here.server("late", str(tmp_path / "never"), startup=replace(READY, failures=5))
        here.backend.apply(KEY, late)
        await eventually(lambda: here.state().restarts >= 1)
        end = here.state().last_end
        assert end is not None
        assert end.message.startswith("its startup probe fails: ")
        assert Phase.READY not in here.phases()


async def test_what_no_longer_answers_is_not_ready_until_it_does(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server("late", str(loaded)))
        await here.until(Phase.STARTING)
        loaded.touch()
        await here.until(Phase.READY)
        loaded.unlink()
        assert (await here.until(Phase.NOT_READY)).message == (
            "its readiness probe fails: /ready answers 503"
        )
        loaded.touch()
        assert (await here.until(Phase.READY)).restarts == 0


async def test_who_ignores_sigterm_is_killed_after_the_grace_with_its_children(
    tmp_path: Path,
) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server("stubborn", "child", grace_s=0.1))
        await here.until(Phase.READY)
        pids = [*here.pids(), *here.pids("child")]
        here.backend.stop(KEY)
        await here.until_gone()
        assert not any(map(alive, pids))


async def test_children_and_daemons_of_a_dead_server_die_before_it_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "CHILDREN_S", 0.1)
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server("child", "daemon"))
        state = await here.until(Phase.READY)
        left = [*here.pids("child"), *here.pids("daemon")]
        assert len(left) == 2
        assert state.pid is not None
        os.kill(state.pid, signal.SIGKILL)
        await here.until_restarted()
        assert not any(map(alive, left))


async def test_who_cannot_wait_kills(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server("stubborn", grace_s=600.0))
        await here.until(Phase.READY)
        here.backend.stop(KEY)
        (server,) = here.pids()
        assert here.state().phase is Phase.STOPPING
        here.backend.kill()
        await here.until_gone()
        assert not alive(server)


async def test_a_port_that_was_taken_meanwhile_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        stolen = other.getsockname()[1]
        choices = iter([stolen, stolen])
        take = Ports.take
        monkeypatch.setattr(Ports, "take", lambda ports: next(choices, 0) or take(ports))
        async with replicas(tmp_path) as here:
            here.backend.apply(KEY, here.server(readiness=Probe(TcpSocket(8080), period_s=60)))
            state = await here.until_restarted(2)
            assert state.ports[8080] != stolen
            assert await here.ask("/ready") == 200
            assert Reason.CRASH_LOOP not in [told.reason for _, told in here.told]


async def test_who_outgrows_its_memory_limit_is_killed_and_told_so(tmp_path: Path) -> None:
    async with replicas(tmp_path, memory_watch_seconds=0.05) as here:
        here.backend.apply(KEY, here.server(memory_bytes=96 * 2**20))
        await here.until(Phase.READY)
        await here.ask("/eat")
        assert here.state().restarts == 0  # 64 MiB and Python are below it
        await here.ask("/eat")
        state = await here.until_restarted()
        assert state.last_end is not None
        assert (state.last_end.reason, state.last_end.exit_code) == (Reason.OOM_KILLED, 137)
        assert "the limit is 96 MiB" in state.last_end.message


async def test_a_cpu_limit_that_cannot_be_kept_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.local.cgroups.find", lambda: None)
    async with replicas(tmp_path) as here:
        for key in ("a", "b"):
            here.backend.apply(key, here.server(key=key, cpus=0.5))
            await here.until(Phase.READY, key=key)
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "CPU limits have no effect here"
    ]


async def test_the_same_again_changes_nothing_and_another_spec_starts_anew(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server())
        await here.until(Phase.READY)
        told = len(here.told)
        here.backend.apply(KEY, here.server())
        assert len(here.told) == told
        here.backend.apply(KEY, here.server(env=(("COLOUR", "red"),)))
        await eventually(lambda: len(here.pids()) == 2 and here.state().ready)
        first, second = here.pids()
        assert not alive(first)
        assert (here.state().pid, here.state().restarts) == (second, 0)


async def test_what_is_stopped_while_its_environment_is_made_is_gone(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server(packages=()))
        await eventually(lambda: here.state().message == "making its environment")
        here.backend.stop(KEY)
        await here.until_gone()
        assert here.pids() == []


async def test_a_stop_of_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.stop("default/unknown")
        assert here.backend.states() == {}


async def test_nothing_is_applied_to_a_backend_that_does_not_run(tmp_path: Path) -> None:
    here = Replicas(Home(tmp_path), NO_GPUS, LocalSettings())
    with pytest.raises(RuntimeError, match="not running"):
        here.backend.apply(KEY, here.server())


TWO_GPUS = FixedInventory([Device("GPU-a", "H200", 0), Device("GPU-b", "H200", 1)])
SHOW = "import os, time; print('sees', os.environ['CUDA_VISIBLE_DEVICES'] or 'none', flush=True); "


async def test_a_gpu_is_given_kept_over_restarts_and_passed_on(tmp_path: Path) -> None:
    async with replicas(tmp_path, inventory=TWO_GPUS, restart_first_seconds=0.01) as here:
        first = here.script(f"{SHOW} time.sleep(0.2)", key="a", gpus=2)
        here.backend.apply("a", first)
        assert (await here.until(Phase.READY, key="a")).gpus == ("GPU-a", "GPU-b")
        here.backend.apply("b", here.script(f"{SHOW} time.sleep(600)", key="b", gpus=1))
        waiting = await here.until(Phase.PENDING, key="b")
        await eventually(lambda: here.state("b").reason == Reason.INSUFFICIENT_GPU)
        waiting = here.state("b")
        assert "GPU 0 (H200) is held by a" in waiting.message
        await eventually(lambda: here.state("a").restarts >= 2)
        assert {line for key, line in here.lines if key == "a"} == {"sees GPU-a,GPU-b"}
        here.backend.stop("a")
        assert (await here.until(Phase.READY, key="b")).gpus == ("GPU-a",)
        await eventually(lambda: ("b", "sees GPU-a") in here.lines)


async def test_who_asks_for_no_gpu_sees_none(tmp_path: Path) -> None:
    async with replicas(tmp_path, inventory=TWO_GPUS) as here:
        here.backend.apply(KEY, here.script(f"{SHOW} time.sleep(600)"))
        await eventually(lambda: (KEY, "sees none") in here.lines)


async def test_a_probe_by_grpc_without_grpcio_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "find_spec", lambda _: None)
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server(liveness=Probe(Grpc(8080))))
        assert "pip install grpcio" in (await here.until(Phase.FAILED)).message
        assert here.pids() == []


async def test_a_probe_by_command_runs_where_the_process_does(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        ask = Exec(("sh", "-c", 'test -e loaded && test "$COLOUR" = red'))
        probing = Probe(ask, period_s=0.05, timeout_s=5.0)
        here.backend.apply(KEY, here.server(readiness=probing, env=(("COLOUR", "red"),)))
        await eventually(lambda: "ended with 1" in here.state().message)
        (here.home.scratch(KEY) / "loaded").touch()
        await here.until(Phase.READY)


async def test_logs_are_followed_over_restarts_and_rotations(tmp_path: Path) -> None:
    async with replicas(tmp_path, log_file_bytes=2048, log_files=50) as here:
        here.backend.apply(KEY, here.server())
        await here.until(Phase.READY)
        seen: list[str] = []

        async def follow() -> None:
            async for line in here.backend.logs(KEY, tail=1, follow=True):
                seen.append(line)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follow())
            await eventually(lambda: seen)
            await here.ask("/talk")
            await here.ask("/die")
            await here.until_restarted()
            here.backend.stop(KEY)
        assert seen == [line for _, line in here.lines]
        assert len(seen) == 1003
        assert len(list(here.home.log(KEY).parent.iterdir())) > 3


async def test_cancelled_while_it_ends_it_kills(tmp_path: Path) -> None:
    here = None

    async def run() -> None:
        nonlocal here
        async with replicas(tmp_path) as here:
            here.backend.apply(KEY, here.server("stubborn", grace_s=600.0))
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        await eventually(lambda: here is not None and here.backend.states())
        assert here is not None
        await here.until(Phase.READY)
        task.cancel()
        await here.until(Phase.STOPPING)
        task.cancel()
    assert not any(map(alive, here.pids()))
    assert list((tmp_path / "runs").iterdir()) == []
