"""No body and no path takes more than their lengths explain: counted in fuel, never in seconds."""

import pytest

from graph.conditions import compile
from graph.conditions.gjson import SearchedPath
from graph.conditions.glob import Glob
from graph.conditions.search import MOST_STEPS, OutOfFuel, Search, nests_too_deep
from graph.document import Document


def hostile_bodies(size: int) -> dict[str, bytes]:
    """Bodies made to hurt, of about so many brackets or bytes."""
    return {
        "arrays nested deep": b"[" * size + b"]" * size,
        "objects nested deep": b'{"a":' * size + b"1" + b"}" * size,
        "both nested deep": b'[{"a":' * (size // 2) + b"1" + b"}]" * (size // 2),
        "brackets that never close": b"[" * size,
        "elements": b"[" + b"1," * size + b"1]",
        "objects": b"[" + b'{"a":1,"b":"x"},' * (size // 10) + b"{}]",
        "keys": b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(size // 10)) + b"}",
        "a long text": b'{"k":"' + b"a" * size + b'"}',
        "a long key": b'{"' + b"a" * size + b'":1}',
        "a text of escapes": b'["' + b'\\"' * size + b'"]',
        "a text of brackets": b'["' + b"[{" * size + b'"]',
        "a text that never ends": b'["' + b"[{" * size,
        "bytes that are no UTF-8": b'{"a":"' + b"\xff\xfe" * size + b'"}',
        "NUL bytes": b"\x00" * size,
        "nothing": b"",
    }


BODIES = hostile_bodies(200_000)
SMALLER_BODIES = hostile_bodies(3_000)
USUAL_PATHS = [
    *(
        "a",
        "a.b",
        "*",
        "#",
        "#.a",
        "#(a==1)",
        "[@this].#(a==1)",
        '[@this].#(k%"*a*a*a*b")',
        "0.0.0",
    ),
    *("@this", "..#", "@keys.0", "jmespath:a", "jmespath:[?a==`1`]"),
]
HOSTILE_PATHS = [
    *("@group", "@join|0", "@reverse.0", "@ugly|0", "@pretty|0", "@values|@values|0", "*.*.*"),
    *(".".join(["a"] * 500), ".".join(["0"] * 500), "#." * 30 + "#", "#." * 90 + "#", "#(a==1)#"),
    *("@dig:a|0", "@dig:#(a==1)|0", "@dig:@this|0", "@dig:" * 6 + "a|0", "@tostr|@fromstr|0"),
    *('@flatten:{"deep":true}|0', "*" * 10_000, "?" * 1000, "\\" * 10_000, "*a*a*a*a*b"),
    *('[@this].#(k%"*a*a*a*a*a*a*b")', "(" * 5000, "[" * 5000, "#(" * 5000, "{" * 60 + "}" * 60),
    *("[@this,@this]|" * 30 + "#(x)", "@tostr|" * 20 + "0", "@this|" * 500 + "0", "a|" * 999 + "a"),
    *("x" * 50_000, '#(a=="' + "x" * 50_000 + '")', "#(" * 30 + ")" * 30),
]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_hostile_bodies_are_answered(body: bytes) -> None:
    document = Document(body)
    for path in USUAL_PATHS:
        assert compile(path).matches(document) in (True, False)


@pytest.mark.parametrize("body", SMALLER_BODIES.values(), ids=SMALLER_BODIES.keys())
def test_hostile_paths_are_answered(body: bytes) -> None:
    document = Document(body)
    for path in HOSTILE_PATHS:
        assert compile(path).matches(document) in (True, False)


def spent(body: bytes, path: str) -> int:
    """The fuel that a search takes; at most a thousand million."""
    search = Search(10**9)
    search.get(body, path.encode())
    return 10**9 - search.fuel


@pytest.mark.parametrize(
    "path",
    [
        *("a.b.c", "*.*.*", "#.a.b", "#(a.b==1).c", "#(a.#(b==1))#.c", "#.#.#.#", "@keys.#(==x)"),
        *("#.[a,b,c,d]", "#.{a,b}|0.a", "#.||||||", "@reverse.@values.@flatten.0", "@join.a"),
    ],
)
@pytest.mark.parametrize("element", [b"1", b"[]", b'{"a":1}', b'{"a":[{"b":{"c":2}}]}'])
def test_ordinary_paths_take_time_by_the_length_of_the_body(path: str, element: bytes) -> None:
    few = b"[" + b",".join([element] * 500) + b"]"
    many = b"[" + b",".join([element] * 5000) + b"]"
    assert spent(many, path) <= 11 * spent(few, path)
    assert compile(path)(many) is bool(Search(10**9).get(many, path.encode())), "fuel was enough"


@pytest.mark.parametrize(
    ("why", "body", "path"),
    [
        ("a body doubled 60 times", b"[1,2,3]", "[@this,@this]|" * 60 + "#(x)"),
        ("every level of a deep body", b"[" * 20_000 + b"]" * 20_000, "@dig:@this|0"),
    ],
)
def test_a_path_that_multiplies_its_body_finds_nothing(why: str, body: bytes, path: str) -> None:
    assert not compile(path)(body)
    with pytest.raises(OutOfFuel):
        Search(1_000_000).get(body, path.encode())


@pytest.mark.parametrize(
    ("path", "no", "yes"), [("#(a>1)#|0", b'{"a":1}', b'{"a":2}'), ("#(>1)#|0", b"1", b"2")]
)
def test_a_search_of_very_many_elements_gives_up_and_says_so(
    path: str, no: bytes, yes: bytes
) -> None:
    condition = compile(path)
    few, many = (
        b"[" + b",".join([*([no] * number), yes]) + b"]" for number in (MOST_STEPS // 2, MOST_STEPS)
    )
    assert condition(few)
    assert not condition(many)
    assert condition.reason(Document(many)) == "the search would take too long"


def test_branches_that_search_one_body_share_what_it_may_cost() -> None:
    body = b"[" + b",".join([b'{"a":1}'] * (MOST_STEPS // 2)) + b"]"
    first, *others = (compile(f"#(a=={number})#|0") for number in (1, *range(20)))
    document = Document(body)
    assert first.matches(document)
    assert not any(each.matches(document) for each in others[2:])
    assert not first.matches(document), "so much has been searched"
    assert first.matches(Document(body))


def test_a_path_of_too_many_searches_in_each_other_never_matches() -> None:
    path = "#." * 80 + "#"
    assert nests_too_deep(path.encode())
    condition = compile(path)
    assert isinstance(condition, SearchedPath)
    assert not condition(b"[]")
    assert any("too many" in warning for warning in condition.warnings)


def test_wildcards_do_not_backtrack() -> None:
    glob = Glob(b"*a" * 30 + b"*b")
    assert not glob.matches(b"a" * 20_000)
    assert glob.matches(b"a" * 20_000 + b"b")
