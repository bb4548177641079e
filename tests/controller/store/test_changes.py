"""What has happened lately: in order, without gaps, bounded; who comes too late learns so."""

import pytest

from controller.store import changes
from controller.store.changes import Change, ChangeType
from controller.store.errors import ApiError
from controller.store.store import Store
from tests.controller.store.kit import THING, ref, thing


def test_each_write_is_one_change_with_what_was_before(store: Store) -> None:
    store.create(THING, thing(spec=1))
    store.edit(ref(), lambda live: live | {"spec": 2})
    store.delete(ref())
    told = [
        (c.version, c.type, c.before and c.before["spec"], c.object["spec"])
        for c in store.changes.since(0)
    ]
    assert told == [
        (1, ChangeType.ADDED, None, 1),
        (2, ChangeType.MODIFIED, 1, 2),
        (3, ChangeType.DELETED, 2, 2),
    ]
    assert store.changes.since(0)[-1].object["metadata"]["resourceVersion"] == "3"
    assert store.changes.since(3) == []


def test_subscribers_hear_what_is_committed_until_they_leave(store: Store) -> None:
    heard: list[int] = []
    leave = store.changes.subscribe(lambda change: heard.append(change.version))
    store.create(THING, thing("a"))
    leave()
    store.create(THING, thing("b"))
    assert heard == [1]


def test_a_subscriber_may_write_and_all_hear_it_in_order(store: Store) -> None:
    heard: list[int] = []

    def write(change: Change) -> None:
        store.replace_status(change.ref, {"seen": change.ref.name})

    store.changes.subscribe(write)
    store.changes.subscribe(lambda change: heard.append(change.version))
    store.create(THING, thing())
    assert store.get(ref())["status"] == {"seen": "a"}
    assert heard == [1, 2]


@pytest.mark.parametrize("version", [0, 3, 99])
def test_what_is_forgotten_or_unheard_of_has_expired(
    store: Store, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    monkeypatch.setattr(changes, "MAX_CHANGES", 2)
    for name in "abcdef":
        store.create(THING, thing(name))
    assert [change.version for change in store.changes.since(4)] == [5, 6]
    with pytest.raises(ApiError) as refused:
        store.changes.since(version)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


def test_large_objects_are_forgotten_sooner(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_BYTES", 1500)
    for name in "abc":
        store.create(THING, thing(name, spec="x" * 1000))
    assert [change.ref.name for change in store.changes.since(2)] == ["c"]
    with pytest.raises(ApiError):
        store.changes.since(1)
    store.create(THING, thing("d", spec="x" * 2000))
    assert store.changes.since(4) == []
    assert store.version == 4
