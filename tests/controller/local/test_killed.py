"""The backend is killed -9 at moments of no plan, while replicas start, crash and change: the next
start finds nothing that runs without an owner, and leaves nothing.
"""

import contextlib
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from controller.local.leftovers import MARK, end_leftovers

ROOT = Path(__file__).parents[3]
MOMENTS = 20

RUN = """
    import asyncio, sys
    from functools import partial
    from pathlib import Path
    from controller.local import backend
    from tests.controller.local.replicas import replicas

    VICES = [(), ("child", "stubborn"), ("broken",), ("daemon",), ("late", "/never")]

    backend.end_leftovers = partial(backend.end_leftovers, grace_s=0.05)

    async def main():
        settings = {"restart_first_seconds": 0.05}
        async with replicas(Path(sys.argv[1]), **settings) as here:
            print("up", flush=True)
            for turn in range(10_000):
                key = f"default/{turn % len(VICES)}"
                spec = here.server(*VICES[turn % len(VICES)], key=key, grace_s=0.05)
                here.backend.apply(key, spec)
                await asyncio.sleep(0.05)
                if turn % 7 == 0:
                    here.backend.stop(key)

    asyncio.run(main())
"""


def marked(home: Path) -> list[psutil.Process]:
    """What runs for any `up` with this home."""
    found = []
    for process in psutil.process_iter():
        try:
            inside = str(home) in process.environ().get("OWNER_HOME", "")
            if inside and MARK in process.environ() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
def test_whatever_the_moment_nothing_is_left(tmp_path: Path) -> None:
    chance = random.Random(3)
    argv = [sys.executable, "-c", textwrap.dedent(RUN), str(tmp_path)]
    environ = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OWNER_HOME": str(tmp_path)}
    left_some = 0
    for _ in range(MOMENTS):
        with subprocess.Popen(argv, cwd=ROOT, env=environ, stdout=subprocess.PIPE) as owner:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"up\n"  # it has ended what the last one left
            with contextlib.suppress(subprocess.TimeoutExpired):
                owner.wait(chance.uniform(0, 1.0))
            owner.kill()
        left_some += bool(marked(tmp_path))
    end_leftovers(tmp_path / "runs", grace_s=0.1)
    assert not marked(tmp_path)
    assert left_some > 0, "nothing was ever left: this test shows nothing"
    assert list((tmp_path / "runs").iterdir()) == []
