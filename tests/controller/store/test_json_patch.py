"""JSON Patch: RFC 6902's own examples, what does not fit, and what a small patch cannot make."""

from typing import Any

import pytest

from controller.store.errors import ApiError
from controller.store.json_patch import MAX_OPERATIONS, json_patch


def op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **more}


FITTING = [
    pytest.param({"a": 1}, [op("add", "/b", value=2)], {"a": 1, "b": 2}, id="a member"),
    pytest.param({"a": [1, 3]}, [op("add", "/a/1", value=2)], {"a": [1, 2, 3]}, id="in between"),
    pytest.param({"a": [1]}, [op("add", "/a/-", value=[2])], {"a": [1, [2]]}, id="at the end"),
    pytest.param({"a": 1, "b": 2}, [op("remove", "/b")], {"a": 1}, id="a member less"),
    pytest.param({"a": [1, 2, 3]}, [op("remove", "/a/1")], {"a": [1, 3]}, id="an item less"),
    pytest.param({"a": 1}, [op("replace", "/a", value=None)], {"a": None}, id="replaced"),
    pytest.param(
        {"a": {"x": 1}, "b": {}},
        [op("move", "/b/y", **{"from": "/a/x"})],
        {"a": {}, "b": {"y": 1}},
        id="moved",
    ),
    pytest.param(
        {"a": {"x": 1}},
        [op("copy", "/b", **{"from": "/a"}), op("add", "/b/y", value=2)],
        {"a": {"x": 1}, "b": {"x": 1, "y": 2}},
        id="a copy is a thing of its own",
    ),
    pytest.param(
        {"a": 1}, [op("test", "/a", value=1), op("replace", "/a", value=2)], {"a": 2}, id="tested"
    ),
    pytest.param({"/": 9, "~1": 10}, [op("remove", "/~01")], {"/": 9}, id="escapes in their order"),
    pytest.param({"": 1}, [op("remove", "/")], {}, id="a key without a letter"),
    pytest.param({"a": 1}, [op("add", "", value={"b": 2})], {"b": 2}, id="the whole"),
    pytest.param({"a": 1}, [], {"a": 1}, id="nothing to do"),
]


@pytest.mark.parametrize(("live", "patch", "after"), FITTING)
def test_a_patch_that_fits(live: Any, patch: Any, after: Any) -> None:
    before = repr(live)
    assert json_patch(live, patch) == after
    assert repr(live) == before


REFUSED = [
    pytest.param([op("remove", "/b")], 422, id="nothing there"),
    pytest.param([op("replace", "/b", value=1)], 422, id="nothing there to replace"),
    pytest.param([op("add", "/b/c", value=1)], 422, id="nothing there to add to"),
    pytest.param([op("add", "/n/c", value=1)], 422, id="a number has no members"),
    pytest.param([op("remove", "")], 422, id="the whole taken away"),
    pytest.param([op("test", "/n", value=2)], 422, id="a test that fails"),
    pytest.param([op("remove", "/a/2")], 422, id="past the end"),
    pytest.param([op("remove", "/a/-1")], 422, id="before the start"),
    pytest.param([op("remove", "/a/01")], 422, id="an index with a leading zero"),
    pytest.param([op("remove", "/a/-")], 422, id="what comes after the last"),
    pytest.param([op("add", "/a/3", value=1)], 422, id="with a gap"),
    pytest.param([7], 400, id="a number"),
    pytest.param([{}], 400, id="no words"),
    pytest.param([op("ADD", "/b", value=1)], 400, id="an unknown word"),
    pytest.param([op([], "/b", value=1)], 400, id="a list for a word"),  # type: ignore[arg-type]
    pytest.param([op("add", "/b")], 400, id="no value"),
    pytest.param([op("add", "b", value=1)], 400, id="no pointer"),
    pytest.param([op("copy", "/b")], 400, id="from nowhere"),
    pytest.param([op("move", "/o/x", **{"from": "/o"})], 400, id="into itself"),
    pytest.param([op("test", "/n", value=1)] * (MAX_OPERATIONS + 1), 400, id="too many"),
]


@pytest.mark.parametrize(("patch", "code"), REFUSED)
def test_a_patch_that_does_not(patch: Any, code: int) -> None:
    with pytest.raises(ApiError) as refused:
        json_patch({"a": [1, 2], "n": 1, "o": {}}, patch)
    assert refused.value.code == code


def test_copies_of_copies_end_before_they_fill_the_memory() -> None:
    doubled = [op("copy", "/a/-", **{"from": "/a"})] * 60
    with pytest.raises(ApiError, match="copied"):
        json_patch({"a": [1]}, doubled)


def test_a_patch_does_not_nest_without_end() -> None:
    deeper = [op("add", "/a" * depth, value={"a": {}}) for depth in range(1, 300)]
    with pytest.raises(ApiError, match="levels deep"):
        json_patch({}, deeper)
