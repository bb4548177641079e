"""A command whose extra is not installed says how to install it."""

import subprocess
import sys

WITHOUT = """
import sys
sys.modules["psutil"] = None
from cli.commands import app
app(["up", "--help"])
"""


def test_a_command_without_its_libraries_says_what_to_install() -> None:
    command = [sys.executable, "-c", WITHOUT]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (
        2,
        "graphway up needs psutil, which is not installed here; "
        "install it by: pip install 'graphway[all]'\n",
    )
