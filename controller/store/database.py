"""The file behind the store: SQLite, opened by one process at a time, written in transactions.

What was committed survives `kill -9` and, unless the writer says otherwise, a power cut. The
exclusive lock ends with its process, however that ends. Tables change by adding a step to
`MIGRATIONS`; a file from a later Graphway is refused, never guessed at. Nothing here knows objects.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.store.errors import internal

APPLICATION_ID = 0x47726177  # "Graw": `file state.db` and we know whose it is

# Step n takes a file of version n to n + 1; what has once been released never changes.
MIGRATIONS = (
    """
    CREATE TABLE counter (version INTEGER NOT NULL);
    INSERT INTO counter VALUES (0);
    CREATE TABLE objects (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,  -- plural.group
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL UNIQUE,
        body BLOB NOT NULL,
        UNIQUE (kind, namespace, name)
    );
    CREATE TABLE owners (
        owner TEXT NOT NULL,  -- uid
        dependent INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
        PRIMARY KEY (owner, dependent)
    ) WITHOUT ROWID;
    CREATE INDEX dependents ON owners (dependent);
    """,
)

# How each begins, ends, and is undone.
_WHOLE = ("BEGIN IMMEDIATE", ("COMMIT",), ("ROLLBACK",))
_PART = ("SAVEPOINT part", ("RELEASE part",), ("ROLLBACK TO part", "RELEASE part"))


class CannotOpen(Exception):
    """The state cannot be used; the message says why and what helps."""


class Database:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.execute = connection.execute

    @classmethod
    def open(cls, path: Path) -> "Database":
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # It holds Secrets. The files beside it get the same mode from SQLite.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise CannotOpen(f"{path}: {error.strerror}; choose another place") from error
        connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        try:
            _prepare(connection, path)
        except CannotOpen:
            connection.close()
            raise
        except sqlite3.Error as error:
            connection.close()
            raise CannotOpen(_why(error, path)) from error
        return cls(connection)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self, *, dry_run: bool = False, flush: bool = True) -> Iterator[None]:
        """All of it or nothing; also within another one, of which it is then a part. A dry run is
        nothing.

        Without `flush` (3 ms) it survives `kill -9` all the same, but not a power cut: for what can
        be found out anew.
        """
        begin, end, undo = _PART if self.connection.in_transaction else _WHOLE
        try:
            if begin is _WHOLE[0]:
                self.execute(f"PRAGMA synchronous = {'FULL' if flush else 'NORMAL'}")
            self.execute(begin)
            try:
                yield
            except BaseException:
                self._each(undo)
                raise
            self._each(undo if dry_run else end)
        except sqlite3.Error as error:
            # A full disk, a broken one: the caller's request fails, and may be made again.
            self._each(undo)
            raise internal(f"the state could not be written: {error}") from error

    def _each(self, statements: tuple[str, ...]) -> None:
        for statement in statements:
            if self.connection.in_transaction:  # some errors have ended all of it already
                self.execute(statement)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    execute = connection.execute
    execute("PRAGMA locking_mode = EXCLUSIVE")
    execute("PRAGMA journal_mode = WAL")
    execute("PRAGMA foreign_keys = ON")
    execute("BEGIN IMMEDIATE")  # takes the lock, and keeps it
    (version,) = execute("PRAGMA user_version").fetchone()
    (owner,) = execute("PRAGMA application_id").fetchone()
    (tables,) = execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and tables:
        raise CannotOpen(f"{path}: this file belongs to another program; choose another place")
    if version > len(MIGRATIONS):
        message = f"{path}: a later Graphway wrote this (version {version}); use that one"
        raise CannotOpen(f"{message}, or move the file away and start afresh")
    for step in MIGRATIONS[version:]:
        for statement in step.split(";"):  # executescript would commit in between
            execute(statement)
    execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    execute(f"PRAGMA application_id = {APPLICATION_ID}")
    execute("COMMIT")


def _why(error: sqlite3.Error, path: Path) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path}: another Graphway uses this; end it, or set GRAPHWAY_HOME to another folder"
    if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"{path}: damaged ({error}); move it away, and Graphway starts afresh"
    return f"{path}: {error}"
