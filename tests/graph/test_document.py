"""What a body is found to be, once, and without ever failing."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.document import SPLICE_DEPTH, UNREAD, Document
from graph.grammar import nesting


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a":[1,2.5,"x",null,true]}\n', {"a": [1, 2.5, "x", None, True]}),
        (b"0", 0),
        (b'""', ""),
        (b"null", None),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"[1e999]", [math.inf]),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        ('"é"'.encode(), "é"),
    ],
)
def test_good_json_is_valid_spliceable_and_has_a_value(body: bytes, value: object) -> None:
    document = Document(body)
    assert (document.valid, document.spliceable, document.parsed) == (True, True, True)
    assert document.value == value
    assert document.value is document.value, "parsed once"
    assert document.spliceable, "the same when asked again"


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b" ",
            b"{",
            b"[1,]",
            b"01",
            b"-",
            b"1.",
            b"nul",
            b'"\t"',
            b"\x00",
            b"{}\x00",
            b"'a'",
        ),
        *(b"\xef\xbb\xbf{}", b"\xff", b'"\\x"', b'"\\ud8zz"', b"\\ud800", b"[1\\ud800]", b"1 2"),
        *(b"[" * 200_000, b'{"a":' * 200_000, b"]" * 10, b"\x00" * 1000, b"NaN"),
    ],
    ids=repr,
)
def test_other_bytes_are_not_valid(body: bytes) -> None:
    document = Document(body)
    assert (document.valid, document.spliceable, document.parsed) == (False, False, False)
    assert document.value is None


@pytest.mark.parametrize(
    ("why", "body", "spliceable", "value"),
    [
        ("bytes that are no UTF-8", b'{"a":"\xff\xc3("}', False, {"a": "\ufffd\ufffd("}),
        ("half a surrogate pair", b'["\\ud800","\\uDFFF"]', True, ["\ud800", "\udfff"]),
        ("an escaped backslash before ud", b'["\\\\ud800","\\ud800"]', True, ["\\ud800", "\ud800"]),
        ("both", b'["\\ud800","\xff"]', False, ["\ud800", "\ufffd"]),
        ("more digits than Python reads", b"[" + b"9" * 5000 + b"]", True, [math.inf]),
    ],
)  # fmt: skip
def test_odd_but_valid(why: str, body: bytes, spliceable: bool, value: object) -> None:
    document = Document(body)
    assert document.valid
    assert document.spliceable is spliceable
    assert document.value == value


@pytest.mark.parametrize(
    ("depth", "spliceable", "parsed"),
    [(100, True, True), (5000, True, False), (SPLICE_DEPTH, True, False),
     (SPLICE_DEPTH + 1, False, False), (200_000, False, False)],
)  # fmt: skip
def test_depth(depth: int, spliceable: bool, parsed: bool) -> None:
    document = Document(nested(depth))
    assert document.valid
    assert document.spliceable is spliceable
    assert document.parsed is parsed
    assert document.value is None or parsed


def test_a_deep_body_with_half_a_pair_has_no_value() -> None:
    document = Document(b'["\\ud800",' + nested(5000) + b"]")
    assert document.valid
    assert not document.parsed


def test_nothing_is_looked_at_before_somebody_asks() -> None:
    document = Document(nested(10))
    assert document.shape == UNREAD
    assert document.spliceable
    assert document.shape != UNREAD


def test_a_body_of_a_hundred_megabytes() -> None:
    document = Document(b"[" + b"1234567," * 13_000_000 + b"1]")
    assert document.valid
    assert document.spliceable


@given(
    st.binary(max_size=40)
    | st.text(alphabet='[]{},:"\\u d8019.eE-truefalsn', max_size=40).map(str.encode)
)
def test_valid_is_what_the_grammar_says(body: bytes) -> None:
    document = Document(body)
    assert document.valid is (nesting(body) is not None)
    assert document.spliceable in (True, False)
    assert document.parsed is document.valid


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_value_comes_back(tree: object) -> None:
    assert Document(json.dumps(tree).encode("utf-8", "surrogatepass")).value == tree
