"""Bytes and characters: what is text, what is not, and where it stops being it."""

import codecs
import json

import pytest

from graph.loader import load
from graph.loader.documents import MAX_BYTES

PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: é\U0001f600\n"
ENCODINGS = {
    "UTF-8": PLAIN.encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + PLAIN.encode(),
    "UTF-16 with a mark": PLAIN.encode("utf-16"),
    "UTF-16, the other way round": codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
    "UTF-32 with a mark": PLAIN.encode("utf-32"),
    "lines of Windows": PLAIN.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS)
def test_encodings(data: bytes) -> None:
    documents = load(data)
    assert documents.problems == ()
    assert documents[0].name == "é\U0001f600"


def test_a_mark_at_the_start_of_text() -> None:
    assert load("\ufeff" + PLAIN).problems == ()


GARBAGE = [
    ("no UTF-8", b"a: b\nc: \xff\xfe", (2, 4)),
    ("half of a UTF-16 character", codecs.BOM_UTF16_LE + "a".encode("utf-16-le") + b"x", (1, 2)),
    ("a NUL", b"a: b\n\x00", (2, 1)),
    ("an escape sequence of a terminal", b"a: \x1b[31m", (1, 4)),
    ("UTF-16 without a mark", "a: b".encode("utf-16-le"), (1, 2)),
    ("a program", bytes(range(128, 256)) * 10, (1, 1)),
    ("half of a pair, as text", "a: \ud800", (1, 4)),
]


@pytest.mark.parametrize(("data", "place"), [g[1:] for g in GARBAGE], ids=[g[0] for g in GARBAGE])
def test_garbage_is_told_with_its_place(data: bytes | str, place: tuple[int, int]) -> None:
    documents = load(data)
    [problem] = documents.problems
    assert problem.problem.code == "not-text"
    assert (problem.line, problem.column) == place
    assert len(documents) == 0


@pytest.mark.parametrize("text", [b" " * (MAX_BYTES + 1), " " * (MAX_BYTES + 1)])
def test_too_large_is_told_unread(text: bytes | str) -> None:
    [problem] = load(text).problems
    assert problem.problem.code == "too-large"


@pytest.mark.parametrize(
    "name", ["\U0001f600", "\\\U0001f600", "\\u\U0001f600", "\\\\ud83d\\ude00"]
)
def test_json_escapes_beyond_the_first_plane(name: str) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    documents = load(text)
    assert documents.problems == ()
    assert documents[0].name == name


def test_block_yaml_keeps_such_escapes_as_they_are() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '\\ud83d\\ude00'}\n"
    assert load(text)[0].name == "\\ud83d\\ude00"
