"""The file: one writer, its version, its owner, its faults; what was written is there again."""

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.store import database
from controller.store.database import CannotOpen
from controller.store.errors import ApiError
from controller.store.store import Store
from tests.controller.store.kit import KINDS, THING, opened, ref, thing


def test_everything_is_there_again(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as store:
        made = store.create(THING, thing(spec={"a": 1}))
        store.create(THING, thing("b"))
        store.delete(ref("b"))
    with opened(tmp_path / "state.db") as store:
        assert store.list(THING).items == [made]
        assert store.version == 3
        with pytest.raises(ApiError) as refused:  # nobody remembers what came before
            store.changes.since(2)
        assert refused.value.code == 410
        assert (
            store.edit(ref(), lambda live: live | {"spec": 2})["metadata"]["resourceVersion"] == "4"
        )


def test_two_cannot_write_one_state(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "state.db"),
        pytest.raises(CannotOpen, match="another Graphway uses this"),
    ):
        Store(tmp_path / "state.db", KINDS)
    with opened(tmp_path / "state.db") as store:
        store.create(THING, thing())


def test_nobody_else_reads_the_secrets_in_it(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as store:
        store.create(THING, thing())
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def damaged(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)


def of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def of_the_future(path: Path) -> None:
    with opened(path):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(database.MIGRATIONS) + 1}")
    connection.close()


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        pytest.param(damaged, "damaged", id="a damaged file"),
        pytest.param(lambda path: path.write_text("hello" * 999), "damaged", id="no database"),
        pytest.param(of_another_program, "another program", id="a database of another program"),
        pytest.param(of_the_future, "a later Graphway", id="a state from the future"),
        pytest.param(lambda path: path.mkdir(), "state.db", id="a folder"),
    ],
)
def test_what_cannot_be_opened_says_why(
    tmp_path: Path, prepare: Callable[[Path], object], told: str
) -> None:
    path = tmp_path / "state.db"
    prepare(path)
    with pytest.raises(CannotOpen, match=told) as refused:
        Store(path, KINDS)
    assert str(path) in str(refused.value)


def test_a_later_version_takes_the_state_of_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "state.db") as store:
        made = store.create(THING, thing())
    later = (*database.MIGRATIONS, "ALTER TABLE objects ADD COLUMN note TEXT;")
    monkeypatch.setattr(database, "MIGRATIONS", later)
    with opened(tmp_path / "state.db") as store:
        assert store.get(ref()) == made
        assert store.database.execute("SELECT note FROM objects").fetchall() == [(None,)]


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "state.db") as store:
        store.create(THING, thing())
    with monkeypatch.context() as patched:
        wrong = (*database.MIGRATIONS, "DELETE FROM objects; SELECT nonsense;")
        patched.setattr(database, "MIGRATIONS", wrong)
        with pytest.raises(CannotOpen, match="nonsense"):
            Store(tmp_path / "state.db", KINDS)
    with opened(tmp_path / "state.db") as store:
        assert len(store.list(THING).items) == 1


def test_a_full_disk_fails_the_request_and_nothing_else(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as store:
        made = store.create(THING, thing("a"))
        (pages,) = store.database.execute("PRAGMA page_count").fetchone()
        store.database.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(ApiError, match=r"could not be written: .*full") as refused:
            store.create(THING, thing("b", spec="x" * 100_000))
        assert refused.value.code == 500
        assert store.list(THING).items == [made]
        assert store.version == 1
        assert store.create(THING, thing("c"))["metadata"]["resourceVersion"] == "2"
