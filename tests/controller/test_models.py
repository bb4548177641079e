"""The demo, end to end: MLServer and the KServe SDK behind graphs of all kinds. Their environments
are made on first use (some minutes) and stay in $GRAPHWAY_HOME.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from controller.local.home import find_home

PROJECT = Path(__file__).parents[2]
LIMIT_S = 900


@pytest.mark.models
@pytest.mark.slow
def test_the_demo_gets_every_answer_from_real_models_and_leaves_nothing_running() -> None:
    argv = [sys.executable, "-m", "cli.demo", "--once", "--port", "0", "--admin-port", "0"]
    ran = subprocess.run(
        argv, cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_S, check=False
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
    envs = str(find_home(os.environ).envs)
    left = [p.info["cmdline"] for p in psutil.process_iter(["cmdline"])]
    assert not [words for words in left if words and words[0].startswith(envs)]
