"""Events about an object: counted when they come again, bounded in number and in age."""

import pytest

from controller.store import recorder
from controller.store.own_kinds import EVENT
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store
from tests.controller.store.kit import PLACE, THING, Clock, thing


def events(store: Store) -> list[Json]:
    return store.list(EVENT).items


def told(store: Store) -> list[tuple[str, int]]:
    return sorted((event["message"], event["count"]) for event in events(store))


def test_an_event_says_what_happened_to_whom(store: Store) -> None:
    about = store.create(THING, thing(namespace="here"))
    Recorder(store).record(about, "Started", "it runs", warning=True)
    (event,) = events(store)
    assert event["metadata"]["namespace"] == "here"
    assert event["involvedObject"] == {
        "kind": "Thing",
        "apiVersion": "test.dev/v1",
        "name": "a",
        "namespace": "here",
        "uid": "uid-1",
        "resourceVersion": "1",
    }
    said = (event["type"], event["reason"], event["message"], event["count"])
    assert said == ("Warning", "Started", "it runs", 1)


def test_the_same_again_is_counted(store: Store, clock: Clock) -> None:
    about, record = store.create(THING, thing()), Recorder(store).record
    record(about, "Crashed", "exit code 1")
    clock.pass_by(seconds=10)
    record(about, "Crashed", "exit code 1")
    record(about, "Crashed", "exit code 2")
    assert told(store) == [("exit code 1", 2), ("exit code 2", 1)]
    again = next(event for event in events(store) if event["count"] == 2)
    seen = (again["firstTimestamp"], again["lastTimestamp"])
    assert seen == ("2030-01-01T00:00:00Z", "2030-01-01T00:00:10Z")


def test_events_about_what_has_no_namespace_stand_in_the_default_one(store: Store) -> None:
    said = {"apiVersion": "test.dev/v1", "kind": "Place", "metadata": {"name": "p"}}
    Recorder(store).record(store.create(PLACE, said), "Seen", "hello")
    assert events(store)[0]["metadata"]["namespace"] == "default"


def test_old_ones_go_and_those_that_come_again_stay(store: Store, clock: Clock) -> None:
    about, record = store.create(THING, thing()), Recorder(store).record
    record(about, "A", "once")
    record(about, "A", "often")
    clock.pass_by(minutes=40)
    record(about, "A", "often")
    clock.pass_by(minutes=40)
    record(about, "A", "new")
    assert told(store) == [("new", 1), ("often", 2)]


def test_one_object_cannot_fill_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MAX_PER_OBJECT", 3)
    noisy, quiet = store.create(THING, thing("noisy")), store.create(THING, thing("quiet"))
    record = Recorder(store).record
    record(quiet, "A", "quiet")
    for number in range(5):
        record(noisy, "A", f"noise {number}")
    assert told(store) == [("noise 2", 1), ("noise 3", 1), ("noise 4", 1), ("quiet", 1)]


def test_another_recorder_goes_on_where_the_last_one_ended(store: Store, clock: Clock) -> None:
    about = store.create(THING, thing())
    Recorder(store).record(about, "A", "first")
    clock.pass_by(minutes=50)
    Recorder(store).record(about, "A", "second")
    clock.pass_by(minutes=20)
    Recorder(store).record(about, "A", "second")
    assert told(store) == [("second", 2)]


def test_events_that_somebody_deleted_are_made_anew(store: Store) -> None:
    about, record = store.create(THING, thing()), Recorder(store).record
    record(about, "A", "gone")
    for event in events(store):
        store.delete(Ref.of(EVENT, event))
    record(about, "A", "gone")
    assert told(store) == [("gone", 1)]


@pytest.mark.parametrize("name", ["a" * 253, "a" * 235 + "-" + "a" * 17, "a" * 234 + ".b.c"])
def test_events_of_objects_with_long_names(store: Store, name: str) -> None:
    Recorder(store).record(store.create(THING, thing(name)), "A", "long")
    assert told(store) == [("long", 1)]
