"""What a path passes over is skipped many values at a time; it finds what it would find one by one.

A text is read one by one where its values have a vertical tab behind them: GJSON takes that for
white space, JSON does not, and so the skipping leaves it alone. Blanks behind each text make it
long enough to be worth skipping.
"""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.conditions.glob import Glob
from graph.conditions.search import Search

NAMES = st.sampled_from(["a", "b", "ab", "é", "", 'a"', "b\n", "aéb", "0"])
LEAVES = st.sampled_from([1, -2.5, True, None, "", "b", "x[y", '{"a":1}', '"', "\\", "é"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
COMPONENTS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "é",
            "0",
            "1",
            "500",
            "999",
            "*",
            "?",
            "a*",
            "*b",
            "*é*",
            "**a**b",
            "??",
            "\\*",
        ),
        *(
            "#",
            '#(a=="b")',
            "#(a)#",
            "#(b.a==1)",
            "#(a==~null)",
            '#(%"*b")#',
            "#(0==1)#",
            "#(#==0)",
            "@keys",
            "@ugly",
            "!1",
        ),
    ]
)


def found(text: str, path: str) -> bytes:
    return Search(10**9).get(text.encode() + b" " * 5000, path.encode())


@given(
    *(st.lists(TREES, min_size=1, max_size=4), st.sampled_from([1, 2, 170, 250, 500])),
    *(st.sampled_from([0, 3, 9]), st.lists(COMPONENTS, min_size=1, max_size=3), st.booleans()),
)
def test_many_values_at_a_time_are_skipped_as_they_are_one_by_one(
    trees: list[object], count: int, deep: int, components: list[str], keyed: bool
) -> None:
    tree: object = trees * count
    for _ in range(deep):
        tree = [tree, 1]
    if keyed:
        tree = {"x": tree} | {f"b{n}": inner for n, inner in enumerate(trees)} | {"a": trees}
    path = ".".join(components)
    quick = found(json.dumps(tree, separators=(",", ":")), path)
    slow = found(json.dumps(tree, separators=("\v,", ":")), path)
    assert quick == slow.replace(b"\v", b"")


@pytest.mark.parametrize("element", ["1", '"]"', "[]", "[[[[[[[1]]]]],[2]]]", '{"a":[{"b":null}]}'])
@pytest.mark.parametrize("count", [1, 499, 500, 501, 1000, 1203])
def test_elements_are_counted(element: str, count: int) -> None:
    array = "[" + ",".join([element] * count) + "]"
    assert found(array, "#") == b"%d" % count
    assert found(array, str(count - 1)) == element.encode()
    assert found(array, str(count)) == b""


@pytest.mark.parametrize("depth", [1, 5, 6, 7, 8, 30])
@pytest.mark.parametrize(("opener", "closer"), [("[", "]"), ('{"a":', "}"), ('[1,{"x[":', "},2]")])
def test_what_stands_behind_a_deep_value_is_found(depth: int, opener: str, closer: str) -> None:
    deep = opener * depth + '"]"' + f",{opener}3{closer}" * (opener == "[") + closer * depth
    assert found(f'{{"k":{deep},"b":5}}', "b") == b"5"
    assert found(f"[{deep},{deep},5]", "2") == b"5"


@pytest.mark.parametrize(
    ("why", "text", "path", "value"),
    [
        ("a query of what is missing", '[[],{},{"b":1}]', "#(a==~null)", b"[]"),
        (
            "elements that have the member",
            '[1,"a",[{"a":1}],{"b":{"a":1}},{"a":2}]',
            "#(a)",
            b'{"a":2}',
        ),
        ("each that has it", '[{"c":0},{"\\n":1,"a":2},[3],"{\\"a\\":4}"]', "#.a", b"[2]"),
        ("an escape that the path holds too", '{"x":1,"\\n":2}', "\n", b"2"),
        ("an escape in another name", '{"\\nb":1,"a\\tb":1,"b":2}', "b", b"2"),
        (
            "half a pair behind a pair and a line break",
            '{"\\n\\ud83d\\ude00\\ud800":2}',
            "\n😀\ufffd",
            b"2",
        ),
        ("an escaped name", '{"x":1,"\\u0062":2}', "b", b"2"),
        ("a scalar where the path goes on", '{"b":1,"b":{"c":2}}', "b.c", b"2"),
        ("an object where it ends", '{"b":{"b":1},"c":2}', "b", b'{"b":1}'),
        ("a name that only begins so", '{"ba":1,"ab":2,"b":3}', "b", b"3"),
        ("a quote in the path", '{"a":1,"a\\"b":2}', 'a"b', b"2"),
        ("a character of two bytes for `?`", '{"ab":1,"é":2}', "?", b"2"),
        ("an empty name", '{"a":1,"":2}', "", b"2"),
        ("no JSON: values without commas", '{"a":"1""b":2}', "b", b"2"),
        ("no JSON: a number that goes on", '{"a":1"x":3,"x":2}', "x", b"2"),
        ("no JSON: a word that goes on", '{"a":truex,"b":2}', "b", b"2"),
    ],
)
def test_a_member_is_found_behind_others(why: str, text: str, path: str, value: bytes) -> None:
    assert found(text, path) == value


@given(
    st.text("ab*?\\.é", max_size=8).map(str.encode), st.text("ab.cé", max_size=8).map(str.encode)
)
def test_a_glob_knows_the_names_that_it_may_match(pattern: bytes, name: bytes) -> None:
    glob = Glob(pattern)
    may = re.match(glob.quoted, name + b'"') is not None
    assert may is (glob.matches(name) or not name.isascii())
