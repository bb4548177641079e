"""After `kill -9`: servers that listen end with their parent, the others at the next start."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from controller.local.leftovers import RunFile, end_leftovers
from tests.controller.backend import alive
from tests.kit.eventually import eventually

ROOT = Path(__file__).parents[2]

UP = """
    import asyncio, sys
    from pathlib import Path
    from tests.controller.backend import fake
    from tests.controller.running import running
    from tests.kit.eventually import eventually

    async def main():
        async with running(Path(sys.argv[1]), fake("iris", *sys.argv[2:])) as plane:
            await eventually(plane.ready)
            print(*plane.watcher.pids(), *plane.watcher.pids("child"), flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())
"""


def killed_up(home: Path, *vices: str) -> list[int]:
    """What a controller had started when it was killed; the server first."""
    argv = [sys.executable, "-c", textwrap.dedent(UP), str(home), *vices]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        pids = [int(word) for word in up.stdout.readline().split()]
        up.kill()
    return pids


async def test_a_server_ends_with_its_parent(tmp_path: Path) -> None:
    (server,) = killed_up(tmp_path)
    await eventually(lambda: not alive(server))


async def test_what_does_not_end_is_ended_by_the_next_start(tmp_path: Path) -> None:
    pids = killed_up(tmp_path, "stubborn", "child")
    assert len(pids) == 2
    assert all(map(alive, pids))
    ended = end_leftovers(tmp_path / "runs", grace_s=0.1)
    assert not any(map(alive, pids))
    assert any("fake_server.py" in command for command in ended)
    assert list((tmp_path / "runs").iterdir()) == []


async def test_children_are_found_though_their_server_is_gone(tmp_path: Path) -> None:
    server, child = killed_up(tmp_path, "child")
    await eventually(lambda: not alive(server))
    assert alive(child)
    end_leftovers(tmp_path / "runs", grace_s=0.1)
    assert not alive(child)


@pytest.fixture
def sleeper() -> Iterator[psutil.Process]:
    """Nobody's child, as what a killed controller leaves."""
    argv = ["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"]
    printed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    process = psutil.Process(int(printed))
    yield process
    if alive(process.pid):
        process.kill()


def run_of(folder: Path, owner: dict[str, float], *processes: dict[str, float]) -> None:
    folder.mkdir(exist_ok=True)
    run = {"owner": owner, "mark": "m", "processes": processes}
    (folder / "run.json").write_text(json.dumps(run))


DEAD = {"pid": 2**22 + 1, "started": 0.0}  # beyond the highest that Linux gives


def test_a_recorded_process_is_ended(tmp_path: Path, sleeper: psutil.Process) -> None:
    run_of(tmp_path, DEAD, {"pid": sleeper.pid, "started": sleeper.create_time()})
    end_leftovers(tmp_path)
    assert not alive(sleeper.pid)


def test_a_process_that_only_has_the_same_id_is_left_alone(
    tmp_path: Path, sleeper: psutil.Process
) -> None:
    run_of(tmp_path, DEAD, {"pid": sleeper.pid, "started": sleeper.create_time() - 60})
    assert end_leftovers(tmp_path) == []
    assert alive(sleeper.pid)
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_owner_lives_is_left_alone(tmp_path: Path, sleeper: psutil.Process) -> None:
    own = psutil.Process()
    owner = {"pid": own.pid, "started": own.create_time()}
    run_of(tmp_path, owner, {"pid": sleeper.pid, "started": sleeper.create_time()})
    assert end_leftovers(tmp_path) == []
    assert alive(sleeper.pid)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"owner": 1}'])
def test_a_file_that_is_no_run_is_removed(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert end_leftovers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_file_names_its_owner_and_what_it_started(
    tmp_path: Path, sleeper: psutil.Process
) -> None:
    run = RunFile(tmp_path)
    run.add(sleeper.pid)
    (file,) = tmp_path.iterdir()
    written = json.loads(file.read_text())
    assert written["owner"]["pid"] == os.getpid()
    assert [process["pid"] for process in written["processes"]] == [sleeper.pid]
    run.discard(sleeper.pid)
    assert json.loads(file.read_text())["processes"] == []
    run.remove()
    assert list(tmp_path.iterdir()) == []
