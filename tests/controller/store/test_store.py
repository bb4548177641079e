"""The life of an object: what the store adds, keeps, counts, refuses and forgets."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.store.errors import ApiError
from controller.store.refs import Json
from controller.store.store import Store
from tests.controller.store.kit import PLACE, SECRET, THING, Clock, ref, thing


def test_a_new_object_gets_identity_time_and_version(store: Store) -> None:
    made = store.create(THING, thing(spec={"size": 1}, labels={"app": "x"}))
    assert made == {
        "apiVersion": "test.dev/v1",
        "kind": "Thing",
        "metadata": {
            "name": "a",
            "namespace": "default",
            "uid": "uid-1",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": "2030-01-01T00:00:00Z",
            "labels": {"app": "x"},
        },
        "spec": {"size": 1},
    }
    assert store.get(ref()) == made


def test_what_a_client_says_in_the_place_of_the_server_is_passed_over(store: Store) -> None:
    lies = {"uid": "mine", "creationTimestamp": "1970-01-01T00:00:00Z", "generation": 9}
    made = store.create(THING, thing(**lies) | {"status": {"ready": True}})
    assert made["metadata"]["uid"] == "uid-1"
    assert made["metadata"]["generation"] == 1
    assert "status" not in made


def _labelled(live: Json) -> Json:
    live["metadata"]["labels"] = {"b": "c"}
    return live


def _respecified(live: Json) -> Json:
    return live | {"spec": {"size": 2}}


@pytest.mark.parametrize(
    ("edit", "generation", "version"),
    [
        pytest.param(lambda live: live, 1, "1", id="nothing changed: not even a version"),
        pytest.param(_labelled, 1, "2", id="a label is a version, no generation"),
        pytest.param(_respecified, 2, "2", id="a spec is both"),
        pytest.param(
            lambda live: live | {"status": {"x": 1}}, 1, "1", id="a status is not written here"
        ),
    ],
)
def test_versions_and_generations(
    store: Store, edit: Callable[[Json], Json], generation: int, version: str
) -> None:
    store.create(THING, thing(spec={"size": 1}))
    metadata = store.edit(ref(), edit)["metadata"]
    assert (metadata["generation"], metadata["resourceVersion"]) == (generation, version)
    assert store.version == int(version)


def test_a_status_changes_alone_and_stays_when_the_rest_changes(store: Store) -> None:
    store.create(THING, thing(spec={"size": 1}))
    after = store.edit_status(ref(), lambda live: live | {"spec": 9, "status": {"ready": True}})
    assert (after["spec"], after["status"]) == ({"size": 1}, {"ready": True})
    assert after["metadata"]["generation"] == 1
    replaced = store.replace(THING, thing(spec={"size": 2}))
    assert replaced["status"] == {"ready": True}
    assert replaced["metadata"]["generation"] == 2
    assert store.replace_status(ref(), {"ready": True}) == replaced


REFUSED: list[Any] = [
    pytest.param(lambda s: s.get(ref("b")), 404, "NotFound", id="get what is not there"),
    pytest.param(lambda s: s.create(THING, thing()), 409, "AlreadyExists", id="create it again"),
    pytest.param(lambda s: s.replace(THING, thing("b")), 404, "NotFound", id="replace nothing"),
    pytest.param(
        lambda s: s.replace(THING, thing(resourceVersion="7")), 409, "Conflict", id="stale version"
    ),
    pytest.param(lambda s: s.replace(THING, thing(uid="o")), 409, "Conflict", id="another uid"),
    pytest.param(
        lambda s: s.edit_status(ref(), lambda _: thing(resourceVersion="7")),
        409,
        "Conflict",
        id="stale version of a status",
    ),
    pytest.param(lambda s: s.delete(ref(), uid="o"), 409, "Conflict", id="delete another uid"),
    pytest.param(lambda s: s.delete(ref(), version="9"), 409, "Conflict", id="delete as of then"),
    pytest.param(lambda s: s.delete(ref("b")), 404, "NotFound", id="delete nothing"),
    pytest.param(
        lambda s: s.edit(ref(), lambda _: thing("b")), 400, "BadRequest", id="another name"
    ),
    pytest.param(
        lambda s: s.create(THING, thing("b") | {"kind": "Other"}),
        400,
        "BadRequest",
        id="wrong kind",
    ),
    pytest.param(lambda s: s.create(THING, thing("A_b")), 422, "Invalid", id="a bad name"),
    pytest.param(lambda s: s.create(THING, thing("b/../c")), 422, "Invalid", id="a path as name"),
    pytest.param(lambda s: s.create(THING, thing("a\n")), 422, "Invalid", id="a line end in it"),
    pytest.param(lambda s: s.create(THING, thing("")), 422, "Invalid", id="no name"),
    pytest.param(
        lambda s: s.create(THING, thing("b", namespace="a.b")), 422, "Invalid", id="bad namespace"
    ),
    pytest.param(
        lambda s: s.create(THING, thing("b", annotations={"x": "y" * 300_000})),
        422,
        "Invalid",
        id="annotations without measure",
    ),
]


@pytest.mark.parametrize(("call", "code", "reason"), REFUSED)
def test_refusals(store: Store, call: Callable[[Store], Any], code: int, reason: str) -> None:
    before = store.create(THING, thing())
    with pytest.raises(ApiError) as refused:
        call(store)
    assert (refused.value.code, refused.value.reason) == (code, reason)
    assert refused.value.body()["status"] == "Failure"
    assert store.list(THING).items == [before]
    assert store.version == 1


def test_a_dry_run_answers_and_leaves_no_trace(store: Store) -> None:
    heard: list[Any] = []
    store.changes.subscribe(heard.append)
    made = store.create(THING, thing(), dry_run=True)
    assert made["metadata"]["uid"] == "uid-1"
    assert (store.list(THING).items, store.version, heard) == ([], 0, [])


def test_a_transaction_is_whole_or_nothing(store: Store) -> None:
    heard: list[Any] = []
    store.changes.subscribe(heard.append)

    def twice() -> None:
        with store.transaction():
            store.create(THING, thing("a"))
            store.create(THING, thing("a"))

    with pytest.raises(ApiError):
        twice()
    assert (store.list(THING).items, store.version, heard) == ([], 0, [])
    with store.transaction():
        store.create(THING, thing("a"))
        store.create(THING, thing("b"))
        assert heard == []
    assert [change.ref.name for change in heard] == ["a", "b"]


def test_a_part_that_fails_takes_only_itself_back(store: Store) -> None:
    def half(name: str) -> None:
        with store.transaction():
            store.create(THING, thing(name))
            store.delete(ref("none"))

    with store.transaction():
        store.create(THING, thing("a"))
        with pytest.raises(ApiError):
            half("b")
        store.create(THING, thing("c"))
    assert [item["metadata"]["name"] for item in store.list(THING).items] == ["a", "c"]
    assert [change.ref.name for change in store.changes.since(0)] == ["a", "c"]


def test_lists_are_ordered_and_know_their_version(store: Store) -> None:
    for name, namespace in (("b", "y"), ("a", "y"), ("c", "x")):
        store.create(THING, thing(name, namespace=namespace))
    store.create(PLACE, {"apiVersion": "test.dev/v1", "kind": "Place", "metadata": {"name": "p"}})

    def names(**asked: Any) -> list[str]:
        return [item["metadata"]["name"] for item in store.list(THING, **asked).items]

    assert names() == ["c", "a", "b"]
    assert names(namespace="y") == ["a", "b"]
    assert names(where=lambda item: item["metadata"]["name"] > "a") == ["c", "b"]
    assert store.list(THING).version == 4


def test_a_kind_without_namespaces_has_none(store: Store) -> None:
    said = {"apiVersion": "test.dev/v1", "kind": "Place", "metadata": {"name": "p"}}
    made = store.create(PLACE, said)
    assert "namespace" not in made["metadata"]
    assert store.get(ref("p", kind=PLACE)) == made


def test_finalizers_hold_an_object_until_the_last_is_taken_away(store: Store, clock: Clock) -> None:
    store.create(THING, thing(finalizers=["one", "two"]))
    clock.pass_by(seconds=5)
    deleted = store.delete(ref())
    assert not deleted.gone
    marked = store.get(ref())
    assert marked["metadata"]["deletionTimestamp"] == "2030-01-01T00:00:05Z"
    clock.pass_by(seconds=5)
    assert store.delete(ref()).object == marked  # twice is as once
    left = thing(finalizers=["two"])
    assert store.edit(ref(), lambda _: left)["metadata"]["finalizers"] == ["two"]
    with pytest.raises(ApiError, match="no new finalizers"):
        store.edit(ref(), lambda _: thing(finalizers=["two", "three"]))
    store.edit(ref(), lambda _: thing())
    assert store.find(ref()) is None


def test_a_name_can_be_taken_again_by_another_object(store: Store) -> None:
    first = store.create(THING, thing())
    assert store.delete(ref()).gone
    assert store.create(THING, thing())["metadata"]["uid"] != first["metadata"]["uid"]


def test_what_is_returned_belongs_to_the_caller(store: Store) -> None:
    given = thing(spec={"list": [1]})
    made = store.create(THING, given)
    made["spec"]["list"].append(2)
    given["spec"]["list"].append(3)
    assert store.get(ref())["spec"] == {"list": [1]}
    assert store.changes.since(0)[0].object["spec"] == {"list": [1]}


def test_text_data_of_a_secret_is_only_written(store: Store) -> None:
    said: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    made = store.create(SECRET, said | {"data": {"a": "eA=="}, "stringData": {"b": "y"}})
    assert made["data"] == {"a": "eA==", "b": "eQ=="}
    assert "stringData" not in made
    assert made["type"] == "Opaque"
    again = store.replace(SECRET, said | {"data": made["data"]})
    assert again == made  # what is kept for who says no type is no change


def test_numbers_keep_their_digits(store: Store) -> None:
    store.create(THING, thing(spec={"big": 2**63 - 1, "small": 0.1}))
    assert store.get(ref())["spec"] == {"big": 2**63 - 1, "small": 0.1}
