"""Merge patches: RFC 7396's own examples, and what kubectl sends for core types."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.store.errors import ApiError
from controller.store.merge import merge, strategic_merge

RFC_7396 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("live", "patch", "merged"), RFC_7396)
def test_merge_patch(live: Any, patch: Any, merged: Any) -> None:
    assert merge(live, patch) == merged


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=2), JSON)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_twice_is_as_once(live: Any, patch: Any) -> None:
    assert merge(merge(live, patch), patch) == merge(live, patch)


SECRETS = [{"name": "a"}, {"name": "b"}]
STRATEGIC = [
    pytest.param({"d": {"a": 1}}, {"d": {"b": 2, "a": None}}, {"d": {"b": 2}}, id="maps merge"),
    pytest.param({"x": [1, 2]}, {"x": [3]}, {"x": [3]}, id="a list without a key is replaced"),
    pytest.param(
        {"secrets": SECRETS},
        {"secrets": [{"name": "b", "kind": "k"}, {"name": "c"}]},
        {"secrets": [{"name": "a"}, {"name": "b", "kind": "k"}, {"name": "c"}]},
        id="a list with a key merges",
    ),
    pytest.param(
        {"secrets": SECRETS},
        {"secrets": [{"name": "a", "$patch": "delete"}]},
        {"secrets": [{"name": "b"}]},
        id="an item is deleted by its key",
    ),
    pytest.param(
        {"secrets": SECRETS},
        {"secrets": [{"name": "z", "$patch": "delete"}]},
        {"secrets": SECRETS},
        id="deleting what is not there is nothing",
    ),
    pytest.param(
        {"secrets": SECRETS},
        {"secrets": [{"$patch": "replace"}, {"name": "c"}]},
        {"secrets": [{"name": "c"}]},
        id="a list replaced on demand",
    ),
    pytest.param(
        {"secrets": SECRETS},
        {"$setElementOrder/secrets": [{"name": "b"}, {"name": "a"}], "secrets": [{"name": "c"}]},
        {"secrets": [{"name": "b"}, {"name": "a"}, {"name": "c"}]},
        id="the order that the author has",
    ),
    pytest.param(
        {"finalizers": ["a", "b"]},
        {"finalizers": ["b", "c"], "$deleteFromPrimitiveList/finalizers": ["a"]},
        {"finalizers": ["b", "c"]},
        id="a set gets and loses values",
    ),
    pytest.param(
        {"a": 1, "b": 2}, {"$retainKeys": ["b", "c"], "c": 3}, {"b": 2, "c": 3}, id="keep"
    ),
    pytest.param({"d": {"a": 1}}, {"d": {"$patch": "replace", "b": 2}}, {"d": {"b": 2}}, id="map"),
    pytest.param({"d": {"a": 1}}, {"d": {"$patch": "delete"}}, {"d": {}}, id="map emptied"),
]


@pytest.mark.parametrize(("live", "patch", "merged"), STRATEGIC)
def test_strategic_merge(live: Any, patch: Any, merged: Any) -> None:
    assert strategic_merge(live, patch) == merged


@pytest.mark.parametrize(
    "patch",
    [
        {"secrets": ["text"]},
        {"$retainKeys": 3},
        {"$setElementOrder/secrets": 3, "secrets": []},
        {"$deleteFromPrimitiveList/finalizers": 3},
    ],
)
def test_patches_that_make_no_sense_are_refused(patch: Any) -> None:
    live = {"secrets": ["x"], "finalizers": ["y"]}
    with pytest.raises(ApiError) as refused:
        strategic_merge(live, patch)
    assert refused.value.code == 400


MANY = [{"name": f"s{number}"} for number in range(60_000)]


def test_lists_of_any_length_merge() -> None:
    """Each item against each would be an hour."""
    patch = {
        "secrets": [*MANY, {"name": "s7", "$patch": "delete"}],
        "$setElementOrder/secrets": [*reversed(MANY)],
        "finalizers": [str(number) for number in range(60_000)],
        "$deleteFromPrimitiveList/x": [*range(60_000)],
    }
    live = {"secrets": [*MANY], "finalizers": ["a"], "x": [*range(60_001)]}
    merged = strategic_merge(live, patch)
    assert (merged["secrets"][0], len(merged["secrets"])) == (MANY[-1], len(MANY) - 1)
    assert (len(merged["finalizers"]), merged["x"]) == (60_001, [60_000])


def test_items_without_a_name_are_left_alone() -> None:
    live = {"secrets": [{"kind": "x"}, {"kind": "y"}, {"name": "a"}, {"name": "a"}]}
    merged = strategic_merge(live, {"secrets": [{"name": "a", "$patch": "delete"}]})
    assert merged["secrets"] == [{"kind": "x"}, {"kind": "y"}, {"name": "a"}]
