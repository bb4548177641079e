"""Which TrainedModels name a service, as they come, move and go."""

from typing import Any

from controller.trainedmodels.known import Known


def live(name: str, of: str = "s", **metadata: str) -> dict[str, Any]:
    said = {"name": name, "namespace": "ns", "uid": name, "creationTimestamp": "1", **metadata}
    model = {"storageUri": "s3://b/m", "framework": "sklearn", "memory": "1Gi"}
    return {"metadata": said, "spec": {"inferenceService": of, "model": model}}


def names(known: Known, service: str = "ns/s") -> list[str]:
    assert [m.name for m in known.models(service)] == [
        each["metadata"]["name"] for each in known.of(service)
    ]
    return [model.name for model in known.models(service)]


def test_they_are_known_by_their_service() -> None:
    known = Known()
    known.begin([live("a"), live("b", of="other"), live("c")])
    assert names(known) == ["a", "c"]
    assert names(known, "ns/other") == ["b"]
    assert names(known, "ns/none") == []


def test_one_that_moves_is_known_where_it_is() -> None:
    known = Known()
    known.take(live("a"))
    known.take(live("a", of="other"))
    assert names(known) == []
    assert names(known, "ns/other") == ["a"]


def test_one_that_is_going_counts_no_more() -> None:
    known = Known()
    known.begin([live("a"), live("b")])
    known.take(live("a", deletionTimestamp="2"))
    assert names(known) == ["b"]
    known.drop(live("a"))
    known.drop(live("b"))
    known.drop(live("b"))
    assert names(known) == []


def test_a_new_beginning_forgets_what_was() -> None:
    known = Known()
    known.begin([live("a")])
    known.begin([live("b")])
    assert names(known) == ["b"]
