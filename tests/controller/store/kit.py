"""Kinds that know nothing of models, a store whose time and uids are given, and short manifests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from controller.store.own_kinds import EVENT
from controller.store.refs import Json, Kind, Ref
from controller.store.store import Store


@dataclass(frozen=True)
class Plain:
    name: str
    group: str
    version: str
    plural: str
    namespaced: bool = True
    status: bool = True


THING = Plain("Thing", "test.dev", "v1", "things")
PLACE = Plain("Place", "test.dev", "v1", "places", namespaced=False)
SECRET = Plain("Secret", "", "v1", "secrets", status=False)
KINDS: tuple[Kind, ...] = (THING, PLACE, SECRET, EVENT)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **time: float) -> None:
        self.at += timedelta(**time)


@contextmanager
def opened(path: Path, clock: Clock | None = None) -> Iterator[Store]:
    numbers = count(1)
    store = Store(path, KINDS, clock=clock or Clock(), new_uid=lambda: f"uid-{next(numbers)}")
    try:
        yield store
    finally:
        store.close()


def thing(name: str = "a", spec: Any = None, **metadata: Any) -> Json:
    said: Json = {"apiVersion": "test.dev/v1", "kind": "Thing", "metadata": {"name": name}}
    said["metadata"] |= metadata
    return said if spec is None else said | {"spec": spec}


def ref(name: str = "a", namespace: str = "default", kind: Kind = THING) -> Ref:
    return Ref(kind, namespace if kind.namespaced else "", name)
