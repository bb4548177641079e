"""What a session of processes holds, shared pages once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from controller.local import memory
from controller.local.memory import over_limit

MIB = 2**20
# Half of it in a child, which shares what was there before it was forked.
SHARING = """
import os, signal
held = bytearray(os.urandom(1024)) * (64 * 1024)
children = []
for _ in range(3):
    if (pid := os.fork()) == 0:
        signal.pause()
    children.append(pid)
print("up", flush=True)
input()
for pid in children:
    os.kill(pid, 9)
"""
ALONE = "held = bytearray(b'x') * (64 * 2**20); print('up', flush=True); input()"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ALONE!r}])"


@contextmanager
def session(code: str) -> Iterator[int]:
    argv = (sys.executable, "-c", code)
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"up\n"
        yield process.pid
        process.stdin.write(b"\n")


def test_who_holds_more_than_it_may_is_found() -> None:
    with session(ALONE) as pid:
        assert over_limit({pid: 1024 * MIB}) == {}
        found = over_limit({pid: 40 * MIB})
        assert set(found) == {pid}
        assert found[pid] > 60 * MIB


def test_what_children_hold_counts() -> None:
    with session(CHILD) as pid:
        assert over_limit({pid: 40 * MIB})[pid] > 60 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells shares")
def test_what_processes_share_counts_once() -> None:
    with session(SHARING) as pid:
        assert over_limit({pid: 128 * MIB}) == {}
        assert set(over_limit({pid: 48 * MIB})) == {pid}


def test_processes_that_are_gone_hold_nothing() -> None:
    assert over_limit({2**22 + 1: 0}) == {}
    assert memory._resident(2**22 + 1) == memory._proportional(2**22 + 1) == 0
    assert memory._session(2**22 + 1) is None
