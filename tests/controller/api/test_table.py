"""Rows as kubectl prints them: the paths of columns, ages, and every column of every kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.api.jsonpath import compile_path
from controller.api.table import age, table
from controller.resources.kinds import Kind, by_name
from controller.store.own_kinds import ALL_KINDS, EVENT

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DATA = {
    "a": {"b.c": 1, "list": [{"type": "x", "n": 1, "ok": True}, {"type": "y", "n": 2}]},
    "none": None,
}

PATHS: list[Any] = [
    (".a.list[0].n", [1]),
    (".a.list[-1].n", [2]),
    (".a.list[7].n", []),
    (".a.list[*].type", ["x", "y"]),
    (".a.list[?(@.type=='y')].n", [2]),
    ('.a.list[?(@.type=="y")].n', [2]),
    (".a.list[?(@.ok==true)].n", [1]),
    (".a.list[?(@.n=='1')].n", []),
    (r".a.b\.c", [1]),
    (".a['b.c']", [1]),
    (".none", []),
    (".a.missing.deeper", []),
    (".a[*]", []),
    ("", [DATA]),
]


@pytest.mark.parametrize(("path", "found"), PATHS)
def test_paths(path: str, found: list[Any]) -> None:
    assert compile_path(path)(DATA) == found


@pytest.mark.parametrize("path", ["a", ".a[", "..a", ".a[?(@.b>1)]", ".a[1:2]"])
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        compile_path(path)


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_table_even_of_an_empty_object(kind: Kind) -> None:
    made = table(
        kind, [{"metadata": {"name": "a"}}], {"resourceVersion": "7"}, include="Metadata", now=NOW
    )
    (row,) = made["rows"]
    assert len(row["cells"]) == len(made["columnDefinitions"])
    assert row["cells"][0] == "a"
    assert made["metadata"] == {"resourceVersion": "7"}


def test_a_service_as_a_row() -> None:
    service = {
        "metadata": {"name": "iris", "creationTimestamp": "2029-12-31T23:00:00Z"},
        "status": {
            "url": "http://iris",
            "conditions": [
                {"type": "Other", "status": "False"},
                {"type": "Ready", "status": "True"},
            ],
        },
    }
    kind = by_name("isvc")
    assert kind is not None
    made = table(kind, [service], {"resourceVersion": "1"}, include="Object", now=NOW)
    shown = dict(
        zip(
            (column["name"] for column in made["columnDefinitions"]),
            made["rows"][0]["cells"],
            strict=True,
        )
    )
    assert (shown["Name"], shown["URL"], shown["Ready"], shown["Age"]) == (
        "iris",
        "http://iris",
        "True",
        "60m",
    )
    assert made["rows"][0]["object"] == service


def test_an_event_names_its_object() -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "InferenceService", "name": "iris"},
        "message": "hello",
        "count": 3,
    }
    (row,) = table(EVENT, [event], {"resourceVersion": "1"}, include="None", now=NOW)["rows"]
    assert "inferenceservice/iris" in row["cells"]
    assert "object" not in row


AGES: list[Any] = [
    ({"seconds": -5}, "0s"),
    ({"seconds": 0}, "0s"),
    ({"seconds": 119}, "119s"),
    ({"seconds": 120}, "2m"),
    ({"minutes": 2, "seconds": 5}, "2m5s"),
    ({"minutes": 11, "seconds": 5}, "11m"),
    ({"hours": 2, "minutes": 59}, "179m"),
    ({"hours": 3}, "3h"),
    ({"hours": 3, "minutes": 7}, "3h7m"),
    ({"hours": 9, "minutes": 7}, "9h"),
    ({"hours": 47}, "47h"),
    ({"days": 2, "hours": 5}, "2d5h"),
    ({"days": 9, "hours": 5}, "9d"),
    ({"days": 365 * 2 + 3}, "2y3d"),
    ({"days": 365 * 9}, "9y"),
]


@pytest.mark.parametrize(("passed", "written"), AGES)
def test_ages(passed: dict[str, int], written: str) -> None:
    assert age((NOW - timedelta(**passed)).isoformat(), NOW) == written


def test_an_age_of_nonsense() -> None:
    assert age("yesterday", NOW) == "<unknown>"


def test_a_secret_tells_how_much_it_holds_and_never_what() -> None:
    kind = next(kind for kind in ALL_KINDS if kind.name == "Secret")
    secret = {"metadata": {"name": "s"}, "type": "Opaque", "data": {"a": "c2VjcmV0", "b": ""}}
    made = table(kind, [secret], {"resourceVersion": "1"}, include="None", now=NOW)
    assert [column["name"] for column in made["columnDefinitions"]] == [
        "Name",
        "Type",
        "Data",
        "Age",
    ]
    assert made["rows"][0]["cells"][:3] == ["s", "Opaque", 2]
    assert "c2VjcmV0" not in str(made)
