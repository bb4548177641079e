"""Owners and what they own: whatever the shape of their references, nothing is left or lost."""

import pytest

from controller.store.dependents import FOREGROUND_FINALIZER, Propagation
from controller.store.errors import ApiError
from controller.store.refs import Json
from controller.store.store import Store
from tests.controller.store.kit import THING, ref, thing


def own(store: Store, name: str, *owners: Json, **metadata: object) -> Json:
    references = [
        {
            "apiVersion": "test.dev/v1",
            "kind": "Thing",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        for owner in owners
    ]
    return store.create(THING, thing(name, ownerReferences=references, **metadata))


def names(store: Store) -> list[str]:
    return [item["metadata"]["name"] for item in store.list(THING).items]


@pytest.mark.parametrize("propagation", [Propagation.BACKGROUND, Propagation.FOREGROUND])
def test_what_is_owned_goes_with_its_owner(store: Store, propagation: Propagation) -> None:
    top = own(store, "top")
    middle = own(store, "middle", top)
    own(store, "leaf", middle)
    own(store, "other")
    assert store.delete(ref("top"), propagation=propagation).gone
    assert names(store) == ["other"]


def test_one_of_two_owners_is_not_enough(store: Store) -> None:
    one, two = own(store, "one"), own(store, "two")
    own(store, "shared", one, two)
    store.delete(ref("one"))
    left = store.get(ref("shared"))["metadata"]["ownerReferences"]
    assert [reference["name"] for reference in left] == ["two"]
    store.delete(ref("two"))
    assert names(store) == []


def test_orphans_stay_and_forget_their_owner(store: Store) -> None:
    own(store, "child", own(store, "top"))
    store.delete(ref("top"), propagation=Propagation.ORPHAN)
    assert "ownerReferences" not in store.get(ref("child"))["metadata"]


def test_in_the_foreground_the_owner_waits_for_the_last_one(store: Store) -> None:
    own(store, "child", own(store, "top"), finalizers=["busy"])
    assert not store.delete(ref("top"), propagation=Propagation.FOREGROUND).gone
    assert store.get(ref("top"))["metadata"]["finalizers"] == [FOREGROUND_FINALIZER]
    assert "deletionTimestamp" in store.get(ref("child"))["metadata"]
    child = store.get(ref("child"))
    child["metadata"]["finalizers"] = []
    store.replace(THING, child)
    assert names(store) == []


@pytest.mark.parametrize("propagation", [Propagation.BACKGROUND, Propagation.FOREGROUND])
def test_a_circle_of_owners_goes_as_a_whole(store: Store, propagation: Propagation) -> None:
    one = own(store, "one")
    two = own(store, "two", one)
    one["metadata"]["ownerReferences"] = [
        {"apiVersion": "test.dev/v1", "kind": "Thing", "name": "two", "uid": two["metadata"]["uid"]}
    ]
    store.replace(THING, one)
    store.delete(ref("one"), propagation=propagation)
    assert names(store) == []


def test_a_chain_of_thousands_is_no_recursion(store: Store) -> None:
    with store.transaction():
        last = own(store, "n0")
        for number in range(1, 2000):
            last = own(store, f"n{number}", last)
    store.delete(ref("n0"))
    assert names(store) == []


def test_an_owner_that_never_was_changes_nothing(store: Store) -> None:
    own(store, "child", {"metadata": {"name": "ghost", "uid": "ghost"}})
    own(store, "other")
    store.delete(ref("other"))
    assert names(store) == ["child"]


def test_a_deletion_that_failed_leaves_nothing_to_do(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(store, "child", own(store, "top"))
    store.create(THING, thing("other"))

    def broken(*_: object) -> None:
        raise ApiError(500, "InternalError", "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_write", broken)
        with pytest.raises(ApiError):
            store.delete(ref("top"), propagation=Propagation.FOREGROUND)
    store.delete(ref("other"))
    assert names(store) == ["child", "top"]


def test_what_owns_itself_goes_in_the_foreground_too(store: Store) -> None:
    uid = store.create(THING, thing())["metadata"]["uid"]
    own = [{"apiVersion": "test.dev/v1", "kind": "Thing", "name": "a", "uid": uid}]
    store.replace(THING, thing(ownerReferences=own))
    assert store.delete(ref(), propagation=Propagation.FOREGROUND).gone
