"""The default number of workers: what the machine and the container's limit leave."""

import os
from pathlib import Path

import pytest

from router.cores import cgroup_quota, usable_cores


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        pytest.param({"cpu.max": "150000 100000"}, 1.5, id="unified hierarchy"),
        pytest.param({"cpu.max": "max 100000"}, None, id="unified, without a limit"),
        pytest.param(
            {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            0.5,
            id="older hierarchy",
        ),
        pytest.param(
            {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
            None,
            id="older, without a limit",
        ),
        pytest.param({"cpu.max": "garbage"}, None, id="something else in the file"),
        pytest.param({"cpu.max": ""}, None, id="an empty file"),
        pytest.param({}, None, id="no cgroups at all"),
    ],
)
def test_quota(files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cgroup_quota(tmp_path) == quota


def test_half_a_core_still_gives_a_worker(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000")
    assert usable_cores(tmp_path) == 1


def test_without_a_quota_affinity_counts(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == len(os.sched_getaffinity(0))
