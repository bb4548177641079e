"""Limits that the kernel keeps, as files; and in a kernel that has them, as limits."""

import os
from pathlib import Path

import pytest

from controller.local import cgroups
from controller.local.cgroups import Cgroup, find, own_cgroup
from controller.local.leftovers import RunFile, end_leftovers
from controller.local.replica import Phase, Reason
from tests.controller.local.replicas import KEY, replicas
from tests.kit.eventually import eventually


def base(folder: Path, *, enabled: str = "cpu memory", members: str = "") -> Path:
    made = folder / "cgroup"
    made.mkdir()
    (made / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (made / "cgroup.subtree_control").write_text(enabled)
    (made / "cgroup.procs").write_text(members)
    return made


def test_limits_are_written_before_a_process_enters(tmp_path: Path) -> None:
    found = find(lambda: base(tmp_path))
    assert found is not None
    made = found.make("m.1", 64 * 2**20, 0.5)
    assert made.folder == found.base / "m.1"
    written = {file.name: file.read_text() for file in made.folder.iterdir()}
    assert written == {
        "memory.max": "67108864",
        "memory.oom.group": "1",
        "cpu.max": "50000 100000",
    }


def test_swap_is_no_way_out_where_it_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "memory.swap.max").write_text("max")
    Cgroup(folder).limit(1, None)
    assert (folder / "memory.swap.max").read_text() == "0"


def test_a_sliver_of_a_cpu_is_the_least_that_the_kernel_takes(tmp_path: Path) -> None:
    Cgroup(tmp_path).limit(None, 0.001)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("cpu.max", "1000 100000")
    ]


def test_controllers_are_enabled_if_nobody_else_is_in_there(tmp_path: Path) -> None:
    folder = base(tmp_path, enabled="", members=f"{os.getpid()}\n")
    assert find(lambda: folder) is not None
    assert (folder / "graphway" / "cgroup.procs").read_text() == str(os.getpid())
    assert (folder / "cgroup.subtree_control").read_text() == "+cpu +memory"


def test_without_its_controllers_there_are_no_limits(tmp_path: Path) -> None:
    folder = base(tmp_path)
    (folder / "cgroup.controllers").write_text("hugetlb\n")
    assert find(lambda: folder) is None


def test_what_is_no_cgroup_sets_no_limits(tmp_path: Path) -> None:
    assert find(lambda: tmp_path) is None
    assert find(lambda: None) is None
    assert find(lambda: tmp_path / "absent") is None


EVENTS = {
    "none": ("low 0\noom 0\noom_kill 0\n", 0),
    "some": ("low 0\noom 2\noom_kill 2\noom_group_kill 1\n", 2),
}


@pytest.mark.parametrize(("text", "kills"), EVENTS.values(), ids=EVENTS)
def test_kills_are_counted(tmp_path: Path, text: str, kills: int) -> None:
    (tmp_path / "memory.events").write_text(text)
    assert Cgroup(tmp_path).oom_kills() == kills


def test_one_that_is_gone_has_killed_nobody_and_is_removed_in_peace(tmp_path: Path) -> None:
    gone = Cgroup(tmp_path / "gone")
    assert gone.oom_kills() == 0
    gone.kill()
    gone.remove()


def test_where_this_process_is(tmp_path: Path) -> None:
    inside = tmp_path / "fs" / "user.slice" / "a.scope"
    inside.mkdir(parents=True)
    membership, mounts = tmp_path / "cgroup", tmp_path / "mountinfo"
    membership.write_text("4:memory:/old\n0::/user.slice/a.scope\n")
    mounts.write_text(
        "22 1 0:5 / /proc rw - proc proc rw\n"
        f"30 1 0:26 / {tmp_path}/fs rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
    )
    assert own_cgroup(membership, mounts) == inside
    membership.write_text("4:memory:/old\n")
    assert own_cgroup(membership, mounts) is None
    membership.write_text("0::/elsewhere\n")
    assert own_cgroup(membership, mounts) is None
    assert own_cgroup(tmp_path / "absent", mounts) is None


def test_those_of_a_killed_run_go_with_the_next_start(tmp_path: Path) -> None:
    folder = base(tmp_path)
    run = RunFile(tmp_path / "runs", folder)
    (folder / run.life_mark()).mkdir()
    (folder / "others.1").mkdir()
    (file,) = (tmp_path / "runs").iterdir()
    file.write_text(file.read_text().replace(str(os.getpid()), str(2**22 + 1)))
    # Files that a real one does not have keep the folder; so this one only has what is written.
    end_leftovers(tmp_path / "runs", grace_s=0.1)
    left = sorted(folder.glob("*.1"))
    assert [path.name for path in left if not list(path.iterdir())] == ["others.1"]
    assert (folder / f"{run.mark}.1" / "cgroup.kill").read_text() == "1"


has_cgroups = pytest.mark.skipif(
    cgroups.find() is None, reason="no writable cgroup of version 2 with its controllers"
)


@has_cgroups
async def test_the_kernel_ends_who_outgrows_its_limit(tmp_path: Path) -> None:
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server(memory_bytes=96 * 2**20, cpus=0.5))
        await here.until(Phase.READY)
        await here.ask("/eat")
        await here.ask("/eat")
        state = await here.until_restarted()
        assert state.last_end is not None
        assert state.last_end.reason is Reason.OOM_KILLED


async def test_a_command_that_cannot_enter_its_cgroup_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(cgroups.Cgroups):
        def make(self, name: str, memory_bytes: int | None, cpus: float | None) -> Cgroup:
            return Cgroup(tmp_path / "absent")

    monkeypatch.setattr(cgroups, "find", lambda: Closed(tmp_path))
    async with replicas(tmp_path) as here:
        here.backend.apply(KEY, here.server(cpus=0.5))
        await eventually(lambda: here.state().reason == Reason.CRASH_LOOP)
        assert here.state().last_end is not None
        assert here.pids() == []


async def test_a_process_runs_in_the_cgroup_of_its_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = base(tmp_path)
    monkeypatch.setattr(cgroups, "find", lambda: cgroups.Cgroups(folder))
    async with replicas(tmp_path / "home") as here:
        code = "import time; print('up', flush=True); time.sleep(600)"
        here.backend.apply(KEY, here.script(code, memory_bytes=2**30, cpus=2.0))
        await eventually(lambda: (KEY, "up") in here.lines)
        (made,) = folder.glob("*.1")
        assert (made / "cgroup.procs").read_text() == "0"
        assert (made / "memory.max").read_text() == str(2**30)
        (made / "memory.events").write_text("oom_kill 1\n")
        here.backend.kill()
        await eventually(lambda: here.state().restarts == 1)
        assert here.state().last_end is not None
        assert here.state().last_end.reason is Reason.OOM_KILLED  # type: ignore[union-attr]
