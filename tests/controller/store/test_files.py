"""Manifests of files become objects, follow their files, and go with them."""

import pytest

from controller.store.errors import ApiError
from controller.store.files import MANIFEST, Manifest, apply_files
from controller.store.refs import Json
from controller.store.store import Store
from tests.controller.store.kit import PLACE, SECRET, THING, ref, thing


def of(file: str, resource: Json) -> Manifest:
    return Manifest(file, PLACE if resource["kind"] == "Place" else THING, resource)


def names(store: Store) -> list[str]:
    return [item["metadata"]["name"] for item in store.list(THING).items]


def test_an_object_knows_its_file(store: Store) -> None:
    apply_files(store, [of("x.yaml", thing(spec={"a": 1}))])
    made = store.get(ref())
    assert made["metadata"]["annotations"] == {MANIFEST: "x.yaml"}
    assert made["spec"] == {"a": 1}


def test_the_same_files_again_change_nothing(store: Store) -> None:
    manifests = [of("x.yaml", thing(spec={"a": [1]}, labels={"b": "c"}))]
    apply_files(store, manifests)
    version = store.version
    apply_files(store, manifests)
    assert store.version == version


def test_an_edit_is_taken_over_and_status_and_other_peoples_marks_stay(store: Store) -> None:
    apply_files(store, [of("x.yaml", thing(spec={"a": 1, "b": 1}, labels={"old": "1"}))])
    store.replace_status(ref(), {"ready": True})

    def stopped(live: Json) -> Json:
        live["metadata"]["annotations"]["stop"] = "true"
        return live

    store.edit(ref(), stopped)
    apply_files(store, [of("y.yaml", thing(spec={"a": 2}, labels={"new": "1"}))])
    after = store.get(ref())
    assert (after["spec"], after["status"]) == ({"a": 2}, {"ready": True})
    assert after["metadata"]["labels"] == {"new": "1"}
    assert after["metadata"]["annotations"] == {"stop": "true", MANIFEST: "y.yaml"}


def test_what_left_its_file_goes_and_what_came_otherwise_stays(store: Store) -> None:
    store.create(THING, thing("by-hand"))
    apply_files(store, [of("x.yaml", thing("a")), of("x.yaml", thing("b"))])
    apply_files(store, [of("x.yaml", thing("b"))])
    assert names(store) == ["b", "by-hand"]


def test_what_somebody_needs_stays_until_nobody_does(store: Store) -> None:
    apply_files(store, [of("a.yaml", thing("x")), of("a.yaml", thing("y"))])
    apply_files(store, [], needed=lambda found: found["metadata"]["name"] == "x")
    assert names(store) == ["x"]
    apply_files(store, [])
    assert names(store) == []


def test_a_file_that_cannot_be_read_now_keeps_its_objects(store: Store) -> None:
    apply_files(store, [of("x.yaml", thing("a")), of("y.yaml", thing("b"))])
    apply_files(store, [], unreadable={"x.yaml"})
    assert names(store) == ["a"]


def test_a_file_takes_over_what_was_made_by_hand(store: Store) -> None:
    store.create(THING, thing(spec={"a": 1, "b": 1}))
    apply_files(store, [of("x.yaml", thing(spec={"a": 2}))])
    assert store.get(ref())["spec"] == {"a": 2, "b": 1}


def test_one_that_is_refused_does_not_stop_the_others(store: Store) -> None:
    refused = apply_files(store, [of("x.yaml", thing("No_Name")), of("x.yaml", thing("b"))])
    assert [(manifest.file, error.reason) for manifest, error in refused] == [("x.yaml", "Invalid")]
    assert names(store) == ["b"]


def test_all_files_are_one_transaction(store: Store) -> None:
    def broken(resource: Json) -> Json:
        if resource["metadata"]["name"] == "b":
            raise ApiError(500, "InternalError", "no space left")
        return resource

    manifests = [of("x.yaml", thing("a")), of("x.yaml", thing("b"))]
    with pytest.raises(ApiError, match="no space left"):
        apply_files(store, manifests, settled=broken)
    assert names(store) == []


def test_defaults_are_filled_in_and_follow(store: Store) -> None:
    def settled(resource: Json) -> Json:
        return resource | {"spec": {"size": 1} | resource["spec"]}

    apply_files(store, [of("x.yaml", thing(spec={}))], settled=settled)
    assert store.get(ref())["spec"] == {"size": 1}
    apply_files(store, [of("x.yaml", thing(spec={"size": 3}))], settled=settled)
    apply_files(store, [of("x.yaml", thing(spec={}))], settled=settled)
    assert store.get(ref())["spec"] == {"size": 1}


def test_a_deletion_that_has_begun_goes_on(store: Store) -> None:
    apply_files(store, [of("x.yaml", thing(finalizers=["busy"]))])
    apply_files(store, [])
    apply_files(store, [])
    assert "deletionTimestamp" in store.get(ref())["metadata"]


def test_a_credential_that_left_its_file_is_gone(store: Store) -> None:
    said: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    for texts in ({"a": "x", "b": "y"}, {"b": "y"}):
        apply_files(store, [Manifest("x.yaml", SECRET, said | {"stringData": texts})])
    assert store.get(ref("s", kind=SECRET))["data"] == {"b": "eQ=="}
