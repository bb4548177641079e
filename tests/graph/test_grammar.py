"""The grammar of JSON, by our own iterative reading of it."""

import json
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.grammar import nesting

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        *((b"0", 0), (b'"x"', 0), (b" null ", 0), (b"[]", 1), (b"[ ]", 1), (b"{ }", 1)),
        *((b"[[]]", 2), (b'{"a":[1,{"b":{}}]}', 4), (b'[1,[2],{"a":1,"b":[3]},4]', 3)),
        *((b'{"a":{},"b":1,"c":[ ]}', 2), (b'[1 , "x\\u00e9\\n" , true]', 1), (b"[[],[]]", 2)),
        *((b"[[[1],2],3]", 3), (b"\t\r\n[\t[ ] \n]\r", 2), (b'{"a" : 1 , "b" : {"c":2} }', 2)),
        *((b'["\xff","\x7f"]', 1), (b'{"":[{}]}', 3), (b'[{"a":[{}]},[]]', 4)),
        (b"[-0.5e+10,1E2]", 1),
    ],
)  # fmt: skip
def test_depth(text: bytes, depth: int) -> None:
    assert nesting(text) == depth


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"[", b"]", b"{", b"}", b"[1,]", b"[,1]", b"[1 2]", b"[}", b"{]", b"[[]"),
        *(b'{"a"}', b'{"a":}', b"{1:2}", b'{"a":1,}', b'{"a":1,2}', b'{"a":1 "b":2}', b'{"a":[}'),
        *(b'{"a":1,"b"}', b'{"a":1,b:2}', b'{,"a":1}', b'{"a":[],2}', b"[[1}]", b"[1,[2,]]"),
        *(b"01", b"-", b"1.", b".5", b"1e", b"1e+", b"+1", b"0x1", b"NaN", b"tru", b"nulll"),
        *(b'"', b'"\\"', b'"\\x"', b'"\\u12g4"', b'"\n"', b'"\x00"', b"'a'", b"\xef\xbb\xbf1"),
        *(b"True", b"[]]", b"[1]1", b"[1]\x00", b"1 1", b"//", b"\x0c1"),
    ],
)  # fmt: skip
def test_no_json(text: bytes) -> None:
    assert nesting(text) is None


class Pairs(list[tuple[str, Any]]):
    """The members of an object, duplicates too."""


def depth_by_python(text: bytes) -> int | None:
    """The same question for Python's own parser, which calls itself for each bracket."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    def depth(value: object) -> int:
        if isinstance(value, Pairs):
            return 1 + max((depth(inner) for _, inner in value), default=0)
        return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0

    try:
        return depth(
            json.loads(
                text.decode("latin-1"),  # any byte is a character, and none of them a blank
                object_pairs_hook=Pairs,
                parse_constant=refuse,
                parse_int=str,
                parse_float=str,
            )
        )
    except ValueError:
        return None


TOKENS = [
    *(*"[]{},: ", "[]", "{}", "[ ]", "\n", '"a"', '"a":', '"]," :', '"\\"', '"{\\\\"', '"\xff"'),
    *("1", "-0.5e-1", "01", "true", "null", "Infinity", ",1", ',"b":2', "],[", "},{"),
]


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """JSON of several hundred values, as long as one step of ours takes or longer; some damaged."""
    separators = draw(st.sampled_from([(",", ":"), (" , ", " : "), ("\t,", "\r\n:")]))
    tree = json.dumps(draw(TREES), separators=separators, ensure_ascii=draw(st.booleans()))
    opener, closer = draw(st.sampled_from([("[", "]"), ('{"a":', "}"), ("[0,[", "]]")]))
    count = draw(st.sampled_from([1, 2, 3, 249, 250, 251, 499, 500, 501, 1200]))
    deep = draw(st.sampled_from([0, 1, 5, 60]))
    text = f"{opener * deep}[{separators[0].join(repeat(tree, count))}]{closer * deep}"
    for token in draw(st.lists(st.sampled_from(["", *TOKENS]), max_size=2)):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + token + text[at + draw(st.integers(0, 2)) :]
    return text.encode()


# A text may take long on a busy machine. When Hypothesis runs a failure again it warns of how long
# the text is: an error here, which would stand in for what failed.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(deadline=None)
@given(texts())
def test_python_agrees_on_long_texts(text: bytes) -> None:
    assert nesting(text) == depth_by_python(text)


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map(lambda tokens: "".join(tokens).encode()))
def test_python_agrees_on_short_texts(text: bytes) -> None:
    assert nesting(text) == depth_by_python(text)


@given(TREES)
def test_what_python_writes_is_json(tree: object) -> None:
    text = json.dumps(tree, indent=1).encode()
    assert nesting(text) == depth_by_python(text) is not None


@pytest.mark.parametrize(
    "unit",
    [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a": ', b" }]"), (b"[ ", b"\n]"), (b"[1,", b",1]")],
)
def test_no_depth_is_too_much(unit: tuple[bytes, bytes]) -> None:
    brackets = unit[0].count(b"[") + unit[0].count(b"{")
    assert nesting(unit[0] * 200_000 + b"[]" + unit[1] * 200_000) == 200_000 * brackets + 1
    assert nesting(unit[0] * 200_000 + b"1" + unit[1] * 199_999) is None


@pytest.mark.parametrize("element", [b"[]", b"[{}]", b'{"a":[[1],{"":{}}]}', b"[" * 9 + b"]" * 9])
@pytest.mark.parametrize("wrong", [b"", b"[}", b'{"a"}', b"1,", b'"a":1', b"]", b"["])
def test_one_fault_among_many_brackets_is_found(element: bytes, wrong: bytes) -> None:
    before = b"[" * 3000 + (element + b",") * 3000
    after = (b"," + element) * 3000 + b"]" * 3000
    assert nesting(before + b"0" + after) == 3000 + nesting(element)  # type: ignore[operator]
    assert nesting(before + wrong + after) is None
