"""Text -> values with places: what YAML and JSON say, where it stands, and what is too much."""

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graph.loader import reader
from graph.loader.found import MAX_PROBLEMS
from graph.loader.reader import MAX_DEPTH, Read, Reader
from graph.problems import Path


def read(text: str) -> tuple[list[Read], list[str]]:
    reading = Reader(text, "x")
    documents = reading.read()
    return documents, [f"{p.line}:{p.column} {p.problem.code}" for p in reading.problems]


def values(text: str) -> list[Any]:
    documents, problems = read(text)
    assert problems == []
    return [document.value for document in documents]


MEANINGS = [
    ("no text at all", "", []),
    ("only a comment", "# nothing\n", []),
    ("an empty document between two lines", "---\n---\na: 1\n...\n", [None, {"a": 1}]),
    ("block and flow style", "a:\n- b\n- {c: [1, 2]}\n", [{"a": ["b", {"c": [1, 2]}]}]),
    (
        "quotes make text",
        "a: '1'\nb: \"yes\"\nc: !!str 2\nd: ! 3",
        [{"a": "1", "b": "yes", "c": "2", "d": "3"}],
    ),
    (
        "tags make numbers",
        "[!!int '1', !!float 2, !!bool 'no', !!null '']",
        [[1, 2.0, False, None]],
    ),
    (
        "literal and folded text",
        "a: |\n  x\n  y\nb: >\n  x\n  y\n",
        [{"a": "x\ny\n", "b": "x y\n"}],
    ),
    (
        "an alias is the value again",
        "a: &a {b: 1}\nc: [*a, *a]",
        [{"a": {"b": 1}, "c": [{"b": 1}] * 2}],
    ),
    ("an alias of a scalar, also as a key", "a: &a b\n*a : 1", [{"a": "b", "b": 1}]),
    ("an anchor given twice means the latter", "[&a 1, *a, &a 2, *a]", [[1, 1, 2, 2]]),
    (
        "own keys win over merged ones",
        "a: &a {p: 1, q: 2}\nb: {<<: *a, p: 3}",
        [{"a": {"p": 1, "q": 2}, "b": {"p": 3, "q": 2}}],
    ),
    (
        "earlier sources win over later ones",
        "a: {<<: [{p: 1}, {p: 2, q: 3}]}",
        [{"a": {"p": 1, "q": 3}}],
    ),
    ("a quoted << is a key like others", "{'<<': 1}", [{"<<": 1}]),
    ("an integer as a key is its text", "{1: a, 0x10: b}", [{"1": "a", "16": "b"}]),
    (
        "JSON with tabs",
        '{\n\t"a":\t1,\n\t"b":[true,null,1.5e3,"\\/\\u00e9"]\n}',
        [{"a": 1, "b": [True, None, 1500.0, "/é"]}],
    ),
    ("explicit keys", "? a\n: 1\n? b\n", [{"a": 1, "b": None}]),
]


@pytest.mark.parametrize(
    ("text", "meaning"), [m[1:] for m in MEANINGS], ids=[m[0] for m in MEANINGS]
)
def test_meaning(text: str, meaning: list[Any]) -> None:
    assert values(text) == meaning


FAULTS = [
    ("indented with a tab", "a:\n\tb: 1", ["2:1 yaml-syntax"]),
    ("never closed", "a: [1, 2", ["2:1 yaml-syntax"]),
    ("an escape of half a character", '"\\ud83d"', ["1:4 yaml-syntax"]),
    ("a tag that the text does not fit", "!!int x", ["1:1 yaml-syntax"]),
    ("a directive that is none", "%YAML 9\n---\na", ["1:8 yaml-syntax"]),
    ("the document before a fault is kept", "a: 1\n---\n[", ["4:1 yaml-syntax"]),
    ("a key twice", "a: 1\na: 2", ["2:1 duplicate-key"]),
    ("a key twice, once quoted, once a number", "'1': a\n1: b", ["2:1 duplicate-key"]),
    ("a key twice in JSON", '{"a": 1, "a": 2}', ["1:10 duplicate-key"]),
    ("the same key in two mappings is fine", "[{a: 1}, {a: 1}]", []),
    ("a mapping as a key", "{{ name }}: 1", ["1:2 bad-key", "1:1 bad-key"]),
    ("nothing as a key", "~: 1", ["1:1 bad-key"]),
    ("an alias of a mapping as a key", "a: &a {}\n*a : 1", ["2:1 bad-key"]),
    ("a boolean as a key", "on: 1", ["1:1 key-type"]),
    ("a fraction as a key", "1.50: 1", ["1:1 key-type"]),
    ("an unknown tag", "a: !vault x\nb: !!set {c}", ["1:4 yaml-tag", "2:4 yaml-tag"]),
    ("not a number", "[.nan, -.inf]", ["1:2 yaml-number", "1:8 yaml-number"]),
    ("an alias before its anchor", "[*a, &a 1]", ["1:2 yaml-alias"]),
    ("an alias from the document before", "&a 1\n---\n*a", ["3:1 yaml-alias"]),
    ("an alias inside of itself", "&a [{b: *a}]", ["1:9 yaml-alias"]),
    ("a merge of text", "{<<: a}", ["1:2 yaml-merge"]),
    ("a merge of a list with text in it", "{<<: [{a: 1}, b]}", ["1:2 yaml-merge"]),
]


@pytest.mark.parametrize(("text", "problems"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_fault(text: str, problems: list[str]) -> None:
    assert read(text)[1] == problems


def test_places_are_those_of_keys_and_items() -> None:
    [document], _ = read("a:\n  b:\n  - c\n  - d: 1\n    é: {f: 2}\nz: &z\n- 1\nw: *z\n")
    places: dict[Path, tuple[int, int]] = {
        (): (1, 1),
        ("a",): (1, 1),
        ("a", "b"): (2, 3),
        ("a", "b", 0): (3, 5),
        ("a", "b", 1): (4, 5),
        ("a", "b", 1, "é"): (5, 5),
        ("a", "b", 1, "é", "f"): (5, 9),
        ("w",): (8, 1),
        ("w", 0): (7, 3),  # where the alias's value was written
        ("a", "b", 9, "q"): (2, 3),  # the nearest thing that is there
        ("a", "b", "q"): (2, 3),
        ("a", 0): (1, 1),
        ("a", "b", 0, "deeper"): (3, 5),
    }
    assert {path: document.place.find(path) for path in places} == places


def test_merged_keys_stand_where_they_were_written() -> None:
    [document], _ = read("a: &a\n  x: 1\nb:\n  <<: [*a, {w: 2}]\n  z: 3\n")
    assert document.place.find(("b", "x")) == (2, 3)
    assert document.place.find(("b", "w")) == (4, 13)
    assert document.place.find(("b", "z")) == (5, 3)


def test_a_problem_knows_its_path() -> None:
    reading = Reader("a:\n- b: {c: 1, c: 2}\n", "x")
    reading.read()
    assert reading.problems[0].problem.path == ("a", 0, "b", "c")


def nested(opening: str, closing: str, times: int) -> str:
    return opening * times + closing * times


@pytest.mark.parametrize(
    "text",
    [
        nested("[", "]", 200_000),
        "[" * 200_000,
        "{" * 200_000,
        '{"a":' * 200_000,
        "- " * 200_000,
        "? " * 200_000,
        "".join(" " * level + "a:\n" for level in range(2_000)),
        "a: &a " + nested("[", "]", MAX_DEPTH - 1) + "\nb: [[*a]]",
    ],
    ids=lambda text: text[:12].replace("\n", "/"),
)
def test_too_deep_is_told_at_once(text: str) -> None:
    documents, [problem] = read(text)
    assert problem.endswith(" yaml-depth")
    assert documents == []


def test_the_deepest_that_goes() -> None:
    assert read(nested("[", "]", MAX_DEPTH))[1] == []


FEW = 10_000


def doubling(levels: int) -> str:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]" for n in range(levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        doubling(40),
        "a: &a {b: 1}\nc: [" + "*a, " * (FEW // 2) + "]",
        "a: &a {b: 1, c: 2}\nd: [" + "{<<: *a}, " * (FEW // 4) + "]",
        "[" + "1," * FEW + "]",
        "---\n" * FEW,
    ],
    ids=["doubled", "repeated", "merged", "items", "documents"],
)
def test_too_many_values_are_told_however_they_are_written(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_VALUES", FEW)
    assert read(text)[1][0].endswith(" yaml-size")


def test_problems_have_an_end() -> None:
    warnings, errors = "!x 1, " * 3 * MAX_PROBLEMS, "{~: 1}, " * 3 * MAX_PROBLEMS
    documents, problems = read("[" + warnings + errors + "]")
    assert len(documents) == 1
    codes = [problem.split()[1] for problem in problems]
    assert codes == (
        ["yaml-tag"] * MAX_PROBLEMS + ["bad-key"] * MAX_PROBLEMS + ["too-many-problems"]
    )


@pytest.fixture
def collecting() -> Iterator[None]:
    enabled = gc.isenabled()
    yield
    if enabled:
        gc.enable()


@pytest.mark.usefixtures("collecting")
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("text", ["[" + "1, " * 100_000 + "]", "[" + "1, " * 100_000])
def test_garbage_collection_is_left_as_it_was(enabled: bool, text: str) -> None:
    (gc.enable if enabled else gc.disable)()
    read(text)
    assert gc.isenabled() is enabled


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON)
def test_any_json_reads_as_json(value: Any) -> None:
    assert values(json.dumps(value, ensure_ascii=False).translate(ESCAPED)) == [value]


# What JSON may hold as it is, and YAML only escaped.
ESCAPED = {
    code: f"\\u{code:04x}" for code in [*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF]
}


class Quoting(yaml.CSafeDumper):
    """Block style, with text in quotes: what PyYAML writes plain, kubectl may read as a number."""


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@given(st.dictionaries(st.text("abc <:-?yn\n'\"#", min_size=1), JSON, min_size=1))
def test_any_yaml_reads_as_it_was_written(value: Any) -> None:
    assert values(yaml.dump(value, Dumper=Quoting, default_flow_style=False)) == [value]
