"""Server-side apply: who said what, who may change it, and what goes when nobody says it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.store.apply import apply
from controller.store.errors import ApiError
from controller.store.refs import Json
from tests.controller.store.kit import ref


def said(
    live: Json, spec: Any, manager: str = "me", *, force: bool = False, now: str = "t"
) -> Json:
    wanted = {"metadata": {"name": "a"}, "spec": spec}
    return apply(ref(), live, wanted, manager=manager, force=force, now=now)


def fresh(spec: Any = None) -> Json:
    return {"metadata": {}} if spec is None else {"metadata": {}, "spec": spec}


ONE_MANAGER = [
    pytest.param({"x": 1}, {"x": 2}, {"x": 2}, id="a value changes"),
    pytest.param({"x": 1, "y": 2}, {"y": 2}, {"y": 2}, id="what is no longer said goes"),
    pytest.param(
        {"x": {"y": {"z": 1}}, "a": 1}, {"a": 1}, {"a": 1}, id="with the emptied around it"
    ),
    pytest.param({"x": {}}, {"x": {"y": 1}}, {"x": {"y": 1}}, id="an empty object is filled"),
    pytest.param({"x": {"y": 1}}, {"x": {}}, {"x": {}}, id="and emptied again"),
    pytest.param({"x": {}, "y": 1}, {"y": 1}, {"y": 1}, id="an empty object goes"),
    pytest.param({"x": [1, 2]}, {"x": [2]}, {"x": [2]}, id="a list is one value"),
    pytest.param({"x": {"y": 1}}, {"x": [1]}, {"x": [1]}, id="an object becomes a list"),
    pytest.param({"x": 1}, {"x": {"y": 1}}, {"x": {"y": 1}}, id="a value becomes an object"),
    pytest.param({"x": 1, "y": 1}, {"x": None, "y": 1}, {"y": 1}, id="null is as not said"),
]


@pytest.mark.parametrize(("first", "then", "left"), ONE_MANAGER)
def test_one_who_applies(first: Any, then: Any, left: Any) -> None:
    assert said(said(fresh(), first), then)["spec"] == left


def test_what_others_wrote_by_other_means_stays() -> None:
    live = said(fresh(), {"mine": 1, "common": {"a": 1}})
    live["spec"]["theirs"] = 2
    live["spec"]["common"]["b"] = 2
    assert said(live, {"x": 1})["spec"] == {"theirs": 2, "common": {"b": 2}, "x": 1}


def test_two_who_say_the_same_own_it_both() -> None:
    live = said(said(fresh(), {"x": 1}), {"x": 1, "y": 1}, "you")
    live = said(live, {})
    assert live["spec"] == {"x": 1, "y": 1}
    assert said(live, {"y": 1}, "you")["spec"] == {"y": 1}


def test_to_change_what_another_said_is_a_conflict_unless_forced() -> None:
    live = said(fresh(), {"x": 1, "y": {"z": 1}})
    with pytest.raises(ApiError) as refused:
        said(live, {"x": 2, "y": 3}, "you")
    causes = refused.value.body()["details"]["causes"]
    assert refused.value.code == 409
    assert [(cause["field"], cause["reason"]) for cause in causes] == [
        (".spec.x", "FieldManagerConflict"),
        (".spec.y.z", "FieldManagerConflict"),
    ]
    taken = said(live, {"x": 2}, "you", force=True)
    assert taken["spec"]["x"] == 2
    assert said(taken, {"y": {"z": 1}})["spec"]["x"] == 2  # no longer mine, so not mine to remove


def test_two_may_fill_one_object() -> None:
    live = said(said(fresh(), {"labels": {}}), {"labels": {"a": "b"}}, "you")
    assert live["spec"] == {"labels": {"a": "b"}}
    assert said(live, {})["spec"] == {"labels": {"a": "b"}}


def test_ownership_is_written_in_the_form_of_kubernetes() -> None:
    assert said(fresh(), {"x": {"y.z/w": [1]}}, now="2030-01-01T00:00:00Z")["metadata"] == {
        "name": "a",
        "managedFields": [
            {
                "manager": "me",
                "operation": "Apply",
                "apiVersion": "v1",
                "time": "2030-01-01T00:00:00Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:x": {"f:y.z/w": {}}}},
            }
        ],
    }


def test_ownership_cannot_be_claimed_by_hand() -> None:
    wanted = {"metadata": {"managedFields": [{"manager": "you"}]}}
    with pytest.raises(ApiError, match="must be nil"):
        apply(ref(), fresh(), wanted, manager="me", force=False, now="t")


SPECS = st.recursive(
    st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
).filter(lambda spec: isinstance(spec, dict))


@given(SPECS, SPECS)
def test_who_applies_alone_gets_what_he_says(first: Json, then: Json) -> None:
    assert said(said(fresh(), first), then).get("spec", {}) == then


@given(SPECS, SPECS)
def test_to_apply_twice_is_to_apply_once(theirs: Json, mine: Json) -> None:
    live = said(said(fresh(), theirs, "you"), mine, force=True, now="then")
    assert said(live, mine, now="later") == live


@given(SPECS, SPECS, SPECS)
def test_the_live_object_is_left_as_it_was(theirs: Json, mine: Json, then: Json) -> None:
    live = said(said(fresh(), theirs, "you"), mine, force=True)
    before = repr(live)
    said(live, then, force=True)
    assert repr(live) == before


def test_thousands_of_fields_go_as_others_come() -> None:
    """Each against each, or a copy of all for each, would be minutes."""
    first = {"metadata": {}, "spec": {f"a{number}": number for number in range(30_000)}}
    then = {"metadata": {}, "spec": {f"b{number}": number for number in range(30_000)}}
    live: Json = {"metadata": {}}
    for wanted in (first, then):
        live = apply(ref(), live, wanted, manager="me", force=False, now="now")
    assert live["spec"] == then["spec"]
