"""What differs between two manifests, in lines."""

from typing import Any

import pytest

from cli.resources.changes import changes

CHANGES: list[tuple[str, Any, Any, list[str]]] = [
    ("nothing", {"a": 1}, {"a": 1}, []),
    ("a value", {"a": {"b": "x"}}, {"a": {"b": "y"}}, ["~ spec.a.b: x -> y"]),
    ("no text", {"a": 1}, {"a": None}, ["~ spec.a: 1 -> null"]),
    ("what is gone", {"a": {"b": 1}}, {}, ['- spec.a: {"b": 1}']),
    ("what has come", {}, {"a": "x"}, ["+ spec.a: x"]),
    ("within a list", {"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["~ spec.a[1].b: 2 -> 3"]),
    ("a longer list", {"a": [1]}, {"a": [1, 2]}, ["~ spec.a: [1] -> [1, 2]"]),
    ("another kind of value", {"a": [1]}, {"a": {}}, ["~ spec.a: [1] -> {}"]),
    ("a key that is no word", {"a.b/c": 1}, {}, ['- spec["a.b/c"]: 1']),
]


@pytest.mark.parametrize(
    ("before", "after", "lines"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_changes(before: Any, after: Any, lines: list[str]) -> None:
    assert [*changes(before, after)] == lines
