"""What the demo says without models: what would stop it is told before anything is made."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.demo import _shortened

PROJECT = Path(__file__).parents[2]


def _demo(home: Path, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.demo", "--once"],
        cwd=PROJECT,
        env={**os.environ, "GRAPHWAY_HOME": str(home), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_is_told_before_the_models_are_trained(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = _demo(tmp_path / "home", {"GRAPHWAY_PORT": port, "GRAPHWAY_ADMIN_PORT": "0"})
    assert ran.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ran.stderr
    assert "GRAPHWAY_PORT=0" in ran.stderr
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = _demo(tmp_path / "file" / "home", {"GRAPHWAY_PORT": "0", "GRAPHWAY_ADMIN_PORT": "0"})
    assert ran.returncode == 1
    assert "GRAPHWAY_HOME chooses another folder" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("columns", [40, 80, 81, 200])
def test_a_long_answer_loses_its_middle(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = "".join(f"{i:04}" for i in range(100))
    short = _shortened(text)
    assert len(short) < columns
    begin, end = short.split(" ... ")
    assert text.startswith(begin)
    assert text.endswith(end)
    assert _shortened("short") == "short"
