"""`kill -9` amid writes, again and again: each acknowledged write is there, none is half there."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from controller.store.store import Store
from tests.controller.store.kit import THING, opened, ref, thing

KILLS = 20
ROOT = Path(__file__).parents[3]


def killed(path: Path, round_: int, after: int) -> list[tuple[str, str]]:
    """What a writer acknowledged until it was killed, some time after so many lines."""
    command = [sys.executable, "-m", "tests.controller.store.writer", str(path), str(round_)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert writer.stdout is not None
    with writer, writer.stdout as lines:
        try:
            said = [next(lines) for _ in range(after)]
        finally:
            writer.kill()
        said += lines  # what it said before the signal came
    words = [line.split() for line in said if line.endswith("\n")]
    return [(done, name) for done, name in words]


def check(store: Store, acknowledged: list[tuple[str, str]]) -> None:
    state = dict[str, set[str]]()
    for done, name in acknowledged:
        state.setdefault(name, set()).add(done)
    for name, done in state.items():
        found = store.find(ref(name))
        if "deleted" in done:
            assert found is None, name
        elif found is not None:
            assert "status" not in done or found["status"], name
        else:  # deleted, and killed before it could say so
            assert name == next(n for n, d in state.items() if "deleted" not in d)
    assert store.get(ref("pair-a"))["spec"] == store.get(ref("pair-b"))["spec"]
    (sound,) = store.database.execute("PRAGMA integrity_check").fetchone()
    assert sound == "ok"
    versions = [int(item["metadata"]["resourceVersion"]) for item in store.list(THING).items]
    assert max(versions) <= store.version
    assert len(set(versions)) == len(versions)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with opened(path) as store:
        store.create(THING, thing("pair-a", spec=0))
        store.create(THING, thing("pair-b", spec=0))
    chance = random.Random(20)
    version = 2
    for round_ in range(KILLS):
        acknowledged = killed(path, round_, after=chance.randint(1, 40))
        with opened(path) as store:
            check(store, acknowledged)
            assert store.version > version
            version = store.version
