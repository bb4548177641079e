from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.store.store import Store
from tests.controller.store.kit import Clock, opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with opened(tmp_path / "state.db", clock) as store:
        yield store
