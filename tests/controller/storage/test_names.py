"""File names from elsewhere."""

import os
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.storage.names import Patterns, clash, read_patterns, safe_name
from controller.storage.outcome import Fault

NAMES = {
    "a plain one": ("a/b.txt", "a/b.txt"),
    "dots and slashes in plenty": ("./a//./b/", "a/b"),
    "spaces and letters": ("ä b/ç", "ä b/ç"),
    "dots within": ("a..b/...", "a..b/..."),
    "up": ("a/../b", None),
    "absolute": ("/a", None),
    "nothing": ("./", None),
    "a zero": ("a\0b", None),
    "a line end": ("a\nb", None),
    "half a letter": ("a\udcff", None),
    "too long a part": ("x" * 256, None),
    "too long in bytes": ("ä" * 128, None),
    "too long in all": ("x/" * 1100, None),
}


@pytest.mark.parametrize(("name", "plain"), NAMES.values(), ids=NAMES)
def test_name(name: str, plain: str | None) -> None:
    assert safe_name(name) == plain


@given(st.text(alphabet="ab./\\\0\n ", max_size=20))
def test_a_safe_name_stays_below_its_folder(name: str) -> None:
    plain = safe_name(name)
    if plain is not None:
        assert os.path.normpath(f"/model/{plain}") == f"/model/{plain}"
        assert safe_name(plain) == plain
        assert ".." not in PurePosixPath(plain).parts


CLASHES = {
    "none": (("a", "b/c", "b/d"), None),
    "twice": (("a", "b", "a"), "a"),
    "a file and a folder": (("b/c", "b"), "b"),
    "deep": (("a/b/c/d", "a/b"), "a/b"),
}


@pytest.mark.parametrize(("names", "found"), CLASHES.values(), ids=CLASHES)
def test_clash(names: tuple[str, ...], found: str | None) -> None:
    assert clash(names) == found


WANTED: dict[str, tuple[dict[str, str], Patterns]] = {
    "nothing said": ({}, Patterns()),
    "by comma": ({"STORAGE_ALLOW_PATTERNS": "*.bin, *.json"}, Patterns(("*.bin", "*.json"))),
    "as JSON": ({"STORAGE_IGNORE_PATTERNS": '["a,b", "c/*"]'}, Patterns((), ("a,b", "c/*"))),
}


@pytest.mark.parametrize(("environ", "patterns"), WANTED.values(), ids=WANTED)
def test_patterns(environ: dict[str, str], patterns: Patterns) -> None:
    assert read_patterns(environ) == patterns


@pytest.mark.parametrize("text", ["[", "[1]", '["a"'])
def test_patterns_that_are_none(text: str) -> None:
    with pytest.raises(Fault, match="STORAGE_ALLOW_PATTERNS"):
        read_patterns({"STORAGE_ALLOW_PATTERNS": text})


def test_ignored_goes_before_allowed() -> None:
    patterns = Patterns(allow=("*.bin",), ignore=("old/*",))
    assert [n for n in ("a.bin", "x/a.bin", "old/a.bin", "a.txt") if patterns.wants(n)] == [
        "a.bin",
        "x/a.bin",
    ]
