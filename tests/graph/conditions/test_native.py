"""Where the library may answer, it answers as our own search does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.conditions.gjson import LibraryPath, compile_gjson
from graph.conditions.native import native_path
from graph.conditions.search import Search
from graph.document import Document

SERVED = [
    *("a", "a.b", "0", "a.0.b", "ключ.a", "a b", "a-1", "a:b", "mod*", "*", "a.*b", "a.*b*"),
    *("#", "a.#", "a.#.b.0", "#(a==1)", "a.#(b.c>=1e3).d", '#(a=="x y")', "#( a < -1.5 )"),
    *('[@this].#(a=="b")', "[@this].#(a.b!=true).c", "[@this].a", "#(a==b).#(c==d)"),
    *("#(a ==1)", "#(a.b  > 1).c", '[@this].#(a == "b")'),
    *(
        '#(a%"x*")',
        '#(a!%"*x*")',
        "#(a%x)",
        "#(a)",
        "#(==1)",
        '#(a=="my_model")',
        "#(a==info)",
        "#(a==1)#",
        "a.#(b)#.c.#",
    ),
]
NOT_SERVED = [
    *("", ".", "a.", ".a", "a..b", "a|b", "a?", "a.b*.c", "**", "a*b*", "-1", "+1", "1a", "a\\.b"),
    *(
        "#(a )",
        "@this",
        "a.@keys",
        "[a]",
        "{a}",
        "!1",
        "..0",
        "#x",
        "##",
        "#.#.a*",
        "a\n",
        "9" * 19,
    ),
    *('#(a=="")', '#(a=="~true")', "#(a==~true)", '#(a=="\\"")', "#(a==null", "#(a==inf)"),
    *('#(a=="0x1p1")', '#(a=="1_0")', "#(a==1_0)", "#(a==+1)", "#(a==é)", "#(a===1)", "#(a!1)"),
    *("#()", "#(a.#==1)", "#(a.#(b==1))", "#(==1).a", '#(a%"x*y*z")', '#(a%"?")', "#(a%~x)"),
    *("#(a==1)x", "#(a==1)#|0", "#[a==1]", "a b|c", "#(a==1", "[@this]", "[@this]|a", "$.a[0]"),
]


@pytest.mark.parametrize("path", SERVED)
def test_the_library_serves(path: str) -> None:
    assert native_path(path) is not None


@pytest.mark.parametrize("path", NOT_SERVED)
def test_the_library_does_not_serve(path: str) -> None:
    assert native_path(path) is None


KEYS = ["a", "b", "c", "0", "#", "", "é", "a b"]
TEXTS = [
    *KEYS,
    "inf",
    "info",
    "1_0",
    "x_1",
    "+nan",
    "0x1p1",
    "x",
    "true",
    "1",
    "1e2",
    "[1,2]",
    '{"a":1}',
    "~true",
    "null",
    "a*",
    '"',
    "\ud83d",
]
NUMBERS = ["0", "1", "-1", "2.5", "1e2", "100", "9007199254740993", "1e400", "-0.0"]


def quoted(texts: list[str]) -> st.SearchStrategy[str]:
    plain = [text for text in texts if '"' not in text and text.isprintable()]
    return st.one_of(
        st.sampled_from(plain).map(lambda text: f'"{text}"'),
        st.sampled_from(texts).map(
            lambda text: '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"'
        ),
    )


SCALARS = st.one_of(st.sampled_from([*NUMBERS, "true", "false", "null"]), quoted(TEXTS))
MEMBERS = st.tuples(quoted(KEYS[:3]) | quoted(KEYS), st.just(":"))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(st.tuples(MEMBERS, inner), max_size=4).map(
            lambda items: "{" + ",".join(key[0] + key[1] + value for key, value in items) + "}"
        ),
    ),
    max_leaves=12,
)
BODIES = st.tuples(TREES, st.sampled_from(["", "", "", " "])).map(
    lambda parts: (parts[1] + parts[0]).encode("utf-8", "surrogatepass")
)
OPERATORS = st.sampled_from(["==", "=", "!=", "<", "<=", ">", ">="])
KEY = st.sampled_from([*KEYS[:3], "a ", "a", "b", "0", "é", "a b", "a*", "*a", "*", "$", "zz"])
RIGHT = st.sampled_from([*NUMBERS, "x", "true", "false", "a", "null"]) | st.sampled_from(
    [text for text in TEXTS if '"' not in text and text.isprintable()]
).map(lambda text: f'"{text}"')
LEFT = st.lists(KEY, max_size=2).map(".".join)
COMPARISON = st.one_of(
    st.tuples(OPERATORS, RIGHT).map("".join),
    st.tuples(st.sampled_from(["%", "!%"]), st.sampled_from(['"a*"', "*", "*b*", '"x"', "1"])).map(
        "".join
    ),
)
QUERY = st.tuples(LEFT, COMPARISON, st.sampled_from(["", "", "#"])).map(
    lambda parts: f"#({parts[0]}{parts[1]}){parts[2]}"
)
PATHS = st.tuples(
    st.sampled_from(["", "", "[@this]."]),
    st.lists(st.one_of(KEY, KEY, QUERY, st.just("#")), min_size=1, max_size=4).map(".".join),
).map("".join)
SERVED_PATHS = PATHS.filter(lambda path: native_path(path) is not None)


@settings(max_examples=600)
@given(BODIES, SERVED_PATHS)
def test_both_evaluators_agree_where_the_library_serves(body: bytes, path: str) -> None:
    native = native_path(path)
    assert native is not None
    condition = LibraryPath(path, native)
    assert condition.matches(Document(body)) is bool(Search(10**9).get(body, path.encode()))


@pytest.mark.parametrize(
    ("why", "body", "path", "exists"),
    [
        ("a key stands in its own value", b'{"a":{"a":{"b":1}}}', "a.b", False),
        ("a key stands twice", b'{"a":{},"a":{"b":1}}', "a.b", True),
        ("a key may be spelt with escapes", b'{"a":{},"\\u0061":{"b":1}}', "a.b", True),
        ("an astral pair in a text", b'[{"a":"\\ud840\\udc00"}]', '#(a=="\U00020000")', True),
        ("other escapes are no reason", b'[{"a":"x\\n"}]', "#(a>x)", True),
        ("an empty key and no left side", b'[{"":1}]', "#(==1)", True),
        ("a key named hash and a list of all", b'{"#":1}', "#(a==1)#", False),
        ("bytes that are no UTF-8", b'{"b":"\xff","a":1}', "a", True),
        ("a root string", b'"[1]"', "0", True),
        ("blanks before the body", b' {"a":1}', "a", True),
        ("no JSON", b'{"a":1', "a", False),
        ("no JSON at all", b"", "a", False),
        ("too deep", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "a", True),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else None,
)
def test_a_body_that_the_library_would_misread(
    why: str, body: bytes, path: str, exists: bool
) -> None:
    assert native_path(path) is not None
    assert compile_gjson(path)(body) is exists
