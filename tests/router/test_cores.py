"""The default number of workers: what the machine and the container's limits leave."""

import os
from pathlib import Path

import pytest

from router.cores import MOST, cpu_quota, default_workers, memory_limit, usable_cores

MIB = 1024 * 1024
HERE = len(os.sched_getaffinity(0))


class Groups:
    """A tree of cgroups, and where in it we are."""

    def __init__(self, folder: Path, files: dict[str, str], own: str = "0::/\n") -> None:
        self.root = folder / "cgroup"
        self.own = folder / "own"
        self.own.write_text(own)
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


SERVICE = "0::/system.slice/router.service\n"
CFS_QUOTA, CFS_PERIOD = "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"


@pytest.mark.parametrize(
    ("files", "own", "quota"),
    [
        pytest.param({"cpu.max": "150000 100000"}, "0::/", 1.5, id="unified hierarchy"),
        pytest.param({"cpu.max": "max 100000"}, "0::/", None, id="unified, without a limit"),
        pytest.param(
            {CFS_QUOTA: "50000\n", CFS_PERIOD: "100000\n"}, "1:cpu:/", 0.5, id="older hierarchy"
        ),
        pytest.param(
            {CFS_QUOTA: "-1", CFS_PERIOD: "100000"}, "1:cpu:/", None, id="older, without a limit"
        ),
        pytest.param(
            {"system.slice/router.service/cpu.max": "200000 100000"}, SERVICE, 2.0, id="a service"
        ),
        pytest.param(
            {
                "system.slice/cpu.max": "100000 100000",
                "system.slice/router.service/cpu.max": "200000 100000",
            },
            SERVICE,
            1.0,
            id="the group around it has less",
        ),
        pytest.param(
            {"other.slice/cpu.max": "100000 100000"}, SERVICE, None, id="the limit of others"
        ),
        pytest.param({"cpu.max": "0 100000"}, "0::/", None, id="nothing at all is no limit"),
        pytest.param({"cpu.max": "garbage"}, "0::/", None, id="something else in the file"),
        pytest.param({"cpu.max": ""}, "0::/", None, id="an empty file"),
        pytest.param({}, "", None, id="no cgroups at all"),
    ],
)
def test_quota(files: dict[str, str], own: str, quota: float | None, tmp_path: Path) -> None:
    groups = Groups(tmp_path, files, own)
    assert cpu_quota(groups.root, groups.own) == quota


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        pytest.param({"memory.max": f"{500 * MIB}\n"}, 500 * MIB, id="unified hierarchy"),
        pytest.param({"memory.max": "max\n"}, None, id="unified, without a limit"),
        pytest.param({"memory/memory.limit_in_bytes": "1024"}, 1024, id="older hierarchy"),
        pytest.param({}, None, id="no cgroups at all"),
    ],
)
def test_memory(files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    groups = Groups(tmp_path, files)
    assert memory_limit(groups.root, groups.own) == limit


@pytest.mark.parametrize(
    ("files", "workers"),
    [
        pytest.param({}, min(HERE, MOST), id="affinity, up to a number"),
        pytest.param({"cpu.max": "50000 100000"}, 1, id="half a core still needs a worker"),
        pytest.param({"memory.max": str(MIB)}, 1, id="little memory too"),
        pytest.param({"memory.max": str(130 * MIB)}, min(HERE, 2), id="memory for two"),
        pytest.param({"cpu.max": "9900000 100000"}, min(HERE, MOST), id="more than there are"),
    ],
)
def test_default(files: dict[str, str], workers: int, tmp_path: Path) -> None:
    groups = Groups(tmp_path, files)
    assert default_workers(groups.root, groups.own) == workers


def test_a_large_machine_does_not_get_hundreds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(192)))
    groups = Groups(tmp_path, {})
    assert usable_cores(groups.root, groups.own) == 192
    assert default_workers(groups.root, groups.own) == MOST


def test_where_there_are_no_cgroups(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path / "nor this") == HERE
