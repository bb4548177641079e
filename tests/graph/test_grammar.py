"""The grammar of JSON, by our own iterative reading of it."""

import json

import pytest
from hypothesis import given
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


@given(TREES, st.sampled_from([None, 1]))
def test_what_python_writes_is_json(tree: object, indent: int | None) -> None:
    assert nesting(json.dumps(tree, indent=indent).encode()) is not None


@given(
    st.lists(st.sampled_from([*"[]{},:", '"a"', "1", " ", '"a":', "true"]), max_size=12).map(
        "".join
    )
)
def test_python_agrees(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        assert nesting(text.encode()) is None
    else:
        assert nesting(text.encode()) is not None


@pytest.mark.parametrize(
    "unit", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a": ', b" }]"), (b"[ ", b"\n]")]
)
def test_no_depth_is_too_much(unit: tuple[bytes, bytes]) -> None:
    brackets = unit[0].count(b"[") + unit[0].count(b"{")
    assert nesting(unit[0] * 200_000 + b"[]" + unit[1] * 200_000) == 200_000 * brackets + 1
    assert nesting(unit[0] * 200_000 + b"1" + unit[1] * 199_999) is None
