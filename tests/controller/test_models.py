"""The demo, end to end: MLServer and the KServe SDK behind graphs of all kinds. Their environments
are made on first use (some minutes) and stay in $GRAPHWAY_HOME.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from controller.local.home import find_home

PROJECT = Path(__file__).parents[2]
LIMIT_S = 900


COMMAND = [sys.executable, "-m", "cli.demo", "--port", "0", "--admin-port", "0"]


def marked(mark: str) -> dict[str, str]:
    """An environment that processes of one test are known by: others may run a demo beside."""
    return {**os.environ, "STARTED_BY": mark}


def servers(mark: str) -> list[list[str]]:
    """Command lines of model servers that run from environments of ours."""
    envs = str(find_home(os.environ).envs)
    found = []
    for running in psutil.process_iter(["cmdline", "environ"]):
        words, environ = running.info["cmdline"], running.info["environ"]
        if words and words[0].startswith(envs) and (environ or {}).get("STARTED_BY") == mark:
            found.append(words)
    return found


@pytest.mark.models
@pytest.mark.slow
def test_the_demo_gets_every_answer_from_real_models_and_leaves_nothing_running() -> None:
    ran = subprocess.run(
        [*COMMAND, "--once"],
        cwd=PROJECT,
        env=marked("once"),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    told = ran.stdout + ran.stderr
    assert ran.returncode == 0, told
    assert "8 of 8 kinds of request answered" in ran.stdout
    # Iris: a setosa and a virginica, by each model and by both protocols; the digit is a nought.
    assert '{"sklearn":{"predictions":[0,2]},"xgboost":{"predictions":[0,2]}}' in ran.stdout
    assert '{"predictions":[0]}' in ran.stdout
    assert '"model_name":"iris-sklearn-v2"' in ran.stdout
    assert re.search(r"went to root/sklearn.*root/xgboost", ran.stdout), told
    assert re.search(r"went to digit/clean, digit/read", ran.stdout), told
    assert not servers("once")


@pytest.mark.models
@pytest.mark.slow
def test_the_demo_stays_up_until_ctrl_c() -> None:
    with subprocess.Popen(
        COMMAND, cwd=PROJECT, env=marked("stays"), stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout
        url = ""
        for line in demo.stdout:
            if "POST" in line and "iris-ensemble" in line:
                url = line.split()[-1]
            if "kinds of request answered" in line:
                break
        try:
            body = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]}).encode()
            with urllib.request.urlopen(url, body) as answer:
                assert json.load(answer)["sklearn"] == {"predictions": [0]}
            assert servers("stays")
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.wait(LIMIT_S) == 0
    assert not servers("stays")
