"""The look for one member says what GJSON says, and the branches that share it do not mix it up."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph.conditions import compile
from graph.conditions.gjson import MemberIs
from graph.conditions.search import Search
from graph.document import Document

PADDING = '"pad":"' + "x" * 200 + '"'
TEXTS = st.sampled_from(['"a"', '"b"', '"kind"', '"\\u0061"', '"a\\"b"', '""', '"é"'])
VALUES = st.recursive(
    st.one_of(TEXTS, st.sampled_from(["0", "1", "true", "null", "[]", "{}"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]"),
        st.lists(st.tuples(st.sampled_from(['"kind"', '"k"']), inner), max_size=3).map(
            lambda items: "{" + " , ".join(f"{key}:{value}" for key, value in items) + "}"
        ),
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(['"kind"', '"k"', '"ki\\u006ed"', '"other"', '"kinder"'])
MEMBERS = st.tuples(KEYS, st.sampled_from([":", " : "]), VALUES).map("".join)
PADDED = st.lists(st.one_of(MEMBERS, MEMBERS, st.just(PADDING)), max_size=5)
BODIES = st.tuples(PADDED.map(", ".join), st.sampled_from(["{%s}", "{ %s }\n", "[{%s}]"])).map(
    lambda parts: (parts[1] % parts[0]).encode()
)
CONDITIONS = ['[@this].#(kind=="a")', "[@this].#(kind=b)", '[@this].#( k == "é" )']


@settings(max_examples=500)
@given(BODIES)
@example(('{"kind":"a",' + PADDING + "}").encode())
@example(("{" + PADDING + ',"kind":"a"}').encode())
@example(("{" + PADDING + ',"x":{"kind":"a"}}').encode())
@example(("{" + PADDING + "," + PADDING + ',"kind":"a","kind":"b"}').encode())
def test_branches_that_share_a_document_agree_with_the_search(body: bytes) -> None:
    document = Document(body)
    for text in [*CONDITIONS, *CONDITIONS]:
        condition = compile(text)
        assert isinstance(condition, MemberIs)
        expected = bool(Search(10**9).get(body, text.encode()))
        assert condition.matches(document) is expected
        assert condition(body) is expected


@pytest.mark.parametrize(
    "text",
    ['[@this].#(a.b=="c")', '[@this].#(a!="b")', '#(a=="b")', '[@this].#(0=="b")', "[@this].#(a)"],
)
def test_other_queries_are_no_question_about_one_member(text: str) -> None:
    assert not isinstance(compile(text), MemberIs)


@pytest.mark.parametrize(
    ("body", "matches"),
    [
        pytest.param(b'{"kind":"a"', False, id="no JSON"),
        pytest.param(b"", False, id="nothing"),
        pytest.param(b' {"kind":"a"}', True, id="white space before the body"),
        pytest.param(b'{"x":' + b"[" * 9 + b"]" * 9 + b',"kind":"a"}', True, id="deep before it"),
        pytest.param(b'{"x":"\xff","kind":"a"}', True, id="bytes that are no UTF-8"),
        pytest.param(b'{"kind":"' + b"a" * 9999 + b'"}', False, id="a long text"),
    ],
)
def test_odd_bodies(body: bytes, matches: bool) -> None:
    assert compile(CONDITIONS[0])(body) is matches
