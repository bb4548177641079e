"""A command whose extra is not installed says how to install it."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

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


PLAIN = """
import sys
for extra in "psutil packaging pynvml obstore huggingface_hub google.protobuf hpack".split():
    sys.modules[extra] = None
from cli.commands import app
app(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "words",
    [("check",), ("render", "-f", "dot"), ("explain", "request")],
    ids=" ".join,
)
def test_a_plain_install_is_enough(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", PLAIN, *words, "configs/examples/splitter.yaml"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT)
    assert ended.returncode == 0, ended.stderr
