"""What a text says beside its meaning."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.conditions import compile

ANY_JSON = [
    b"1",
    b"null",
    b'"x"',
    b"[]",
    b"{}",
    b"[null]",
    b' {"a":1} ',
    b'"[1"',
    b'{"a":{"b":[1]}}',
]


@pytest.mark.parametrize(
    "text",
    [
        *("@this", "[a,b]", "{a}", "[@this]", "[@this].0", "[@this].#", "[a,b]|#", "[a].#(x==1)#"),
        *("!true", '!"x"', "!1", '!{"a":1}.a', "@keys", "@keys.#", "@values|#.x", "@dig:a", "..#"),
        *("@dig:a|#", "..0", "..#.a", "@this|@keys", "@this.@tostr", "@reverse.@flatten", "[]"),
        *("@values.@reverse.#", "..#(a==1)#", '{ .a.class == "dog" }', "[@this]|@this|#"),
    ],
)
def test_it_always_matches(text: str) -> None:
    condition = compile(text)
    assert condition.always_matches_json
    assert all(condition(body) for body in ANY_JSON)
    assert not condition(b"{")
    assert not condition(b"")


@pytest.mark.parametrize(
    "text",
    [
        *("a", "", "#", "a.#", "@this.a", "@fromstr", "@group", "@nope", "[a].0", "!x", "!True"),
        *("!true.a", "[a", "[a]b", "{a}.a", "..1", "..", "@this.", "[@this].#(a==1)", "@join|x"),
        *("@flatten|#", "!x|[a]", "a|[b]", "@dig:" * 7 + "a"),
        *("..@this", "@", "!", "["),
    ],
)
def test_it_does_not_always_match(text: str) -> None:
    assert not compile(text).always_matches_json
    assert not all(compile(text)(body) for body in ANY_JSON)


@pytest.mark.parametrize("text", ["@dig:0|#", "[0]|#", "@this:{}x"])
def test_in_doubt_it_does_not(text: str) -> None:
    assert not compile(text).always_matches_json


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("", "for a default branch write `@this`"),
        (" a", "write `a`"),
        ("$.instances[0].x", "write `instances.0.x`"),
        ("$", "write `@this`"),
        ("$..x", "write `x`"),
        (".a.b", "write `a.b`"),
        (".", "write `@this`"),
        ("..a", "JSON lines"),
        ("a[0]", "write `a.0`"),
        ("a.b[*].c", "write `b.#.KEY`"),
        ("a[].c", "write `a.#.KEY`"),
        ("a[?(@.x>1)]", r"write `a.#\(KEY==VALUE\)`"),
        ('model=="llama"', r'write `\[@this\].#\(model=="llama"\)`'),
        ("a > 1", "outside of a query"),
        ("#(a>1 && a<2)", "no `&&`.*jmespath:"),
        ("#(a>1 || a<2)", r"no `\|\|`"),
        ("#(a>1 and a<2)", "no `and`"),
        ("#(a==1", r"`\(` is never closed"),
        ("#(a==1))", r"`\)` closes no bracket"),
        ("#(a==1]", "`]` closes no bracket"),
        ('#(a=="x)', "a quote .* is not closed"),
        ("a.#(b==1)#", "ends in `\\)#` gives a list"),
        ("a.#(b==1)#.c", "ends in `\\)#` gives a list"),
        ("a.#", "gives a count or a list"),
        ("#.a", "gives a count or a list"),
        ("{a,b}", "always matches; if that is meant write `@this`"),
        ("!true", "always matches"),
        ("a.@first", "no modifier `@first`.*@flatten"),
        ("#(a==null)", "write `==~null`"),
        ("#(a!=None)", "`!=~null`"),
        ("#(a==True)", "write `==true`"),
        ("#(a=='x')", 'write "x" in double quotes'),
        ("#(a=~/x/)", "no regular expressions"),
        ("#(a==~yes)", "after `~` stand only"),
        ("a.-1", "write .*`@reverse.0`|with `@reverse.0`"),
        ("@dig:" * 7 + "a", "too many"),
    ],
)
def test_a_warning_says_what_to_write_instead(text: str, warning: str) -> None:
    found = compile(text).warnings
    assert any(re.search(warning, line) for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        *("a", "a.b.0", "@this", "[@this].#(a==1)", 'a.#(b=="x && y")', '[@this].#(k%"a*")'),
        *("#(a==~null)", "#(a!=~*)", "#(a=1)", r"a\.b", "a.@keys.0", "@dig:a|0", "..#(a==1)"),
        *("a.#(b.#(c>1)).d", '#(a=="it\'s")', "a.@reverse.0", "mod*", "ключ", r'#(a=="\"")'),
        *('#(a=="(")', "#(a==-1)", "and", "a|b", "@flatten:{\"deep\":true}.0"),
    ],
)  # fmt: skip
def test_good_texts_have_no_warnings(text: str) -> None:
    assert compile(text).warnings == ()


@given(st.text(alphabet="ab.|#()[]{}\"\\*?@!=<>%~,:$&' 01", max_size=25))
def test_any_text_compiles_and_what_always_matches_does(text: str) -> None:
    condition = compile(text)
    for body in ANY_JSON:
        assert condition(body) in (True, False)
        if condition.always_matches_json:
            assert condition(body)
