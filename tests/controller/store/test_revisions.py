"""What the reconciler keeps: revisions of an object, and values by key; both outlive a restart."""

from pathlib import Path

from controller.store.revisions import Kept, Revisions
from controller.store.store import Store
from tests.controller.store.kit import THING, opened, ref, thing


def test_the_same_content_is_the_same_revision(store: Store) -> None:
    revisions = Revisions(store)
    first = revisions.add("u", {"a": 1, "b": 2})
    assert revisions.add("u", {"b": 2, "a": 1}) == first
    second = revisions.add("u", {"a": 2})
    back = revisions.add("u", {"a": 1, "b": 2})
    assert [r.number for r in (first, second, back)] == [1, 2, 3]
    assert back.digest == first.digest
    assert revisions.of("u") == [first, second, back]
    assert revisions.last("u") == back
    assert revisions.last("other") is None


def test_numbers_are_never_used_again(store: Store) -> None:
    revisions = Revisions(store)
    for number in range(4):
        revisions.add("u", {"a": number})
    revisions.prune("u", keep=2)
    assert [r.number for r in revisions.of("u")] == [3, 4]
    assert revisions.add("u", {"a": 9}).number == 5


def test_revisions_go_with_their_owner(store: Store) -> None:
    owner = store.create(THING, thing())["metadata"]["uid"]
    Revisions(store).add(owner, {})
    Revisions(store).add("other", {})
    store.delete(ref())
    assert Revisions(store).of(owner) == []
    assert len(Revisions(store).of("other")) == 1


def test_values_by_key(store: Store) -> None:
    kept = Kept(store)
    kept.put("cache/b", {"size": 1})
    kept.put("cache/a", 2)
    kept.put("cachet", 3)
    kept.put("cache/a", 4)
    assert kept.get("cache/a") == 4
    assert kept.under("cache/") == {"cache/a": 4, "cache/b": {"size": 1}}
    kept.remove("cache/a")
    assert kept.get("cache/a") is None


def test_both_outlive_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as store:
        made = Revisions(store).add("u", {"a": 1})
        Kept(store).put("k", "v")
    with opened(tmp_path / "state.db") as store:
        assert Revisions(store).of("u") == [made]
        assert Kept(store).get("k") == "v"
