"""The benchmark runs as a user runs it, says what it found, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.machine import CannotMeasure, find_tool, require_tools
from tests.kit.eventually import eventually

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "bench", "--quick", "--only", "Sequence-1/50b/32")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_tool("nginx") is None or find_tool("wrk") is None,
        reason="needs Debian's nginx-light and wrk",
    ),
]


def start(folder: Path, *flags: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, *flags],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_behind(folder: Path) -> list[str]:
    """Command lines of living processes that were given a path in the folder, and its files."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = entry.joinpath("cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in line:
                lines.append(line)
    return [*lines, *map(str, folder.iterdir())]


def test_one_case_is_measured_beside_nginx(tmp_path: Path) -> None:
    folder, report = tmp_path / "work", tmp_path / "report.json"
    folder.mkdir()
    run = start(folder, "--json", str(report))
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 0, said
    (case,) = json.loads(report.read_text())["cases"]
    assert case["case"] == "Sequence-1/50b/32"
    assert case["faults"] == []
    assert case["ratio"] > 0
    for system in ("nginx", "graphway", "direct"):
        assert case["medians"][system]["requests_per_s"] > 0
        assert case["medians"][system]["p50_us"] <= case["medians"][system]["p99_us"]
    assert "Sequence-1/50b/32" in said
    assert left_behind(folder) == []


async def test_an_interrupted_run_ends_all_its_processes(tmp_path: Path) -> None:
    with start(tmp_path) as run:
        try:
            await eventually(
                lambda: any("serve" in line for line in left_behind(tmp_path)),
                "the last of the systems runs",
                60,
            )
        finally:
            run.send_signal(signal.SIGINT)
            said, _ = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert left_behind(tmp_path) == []


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.machine.find_tool", lambda tool: None)
    with pytest.raises(CannotMeasure, match="apt-get install nginx-light wrk"):
        require_tools()
