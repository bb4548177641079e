"""What is wrong with a CEL text: where it is, and how to mend it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.conditions import compile
from graph.conditions.cel_faults import Fault

FAULTS = [
    ("heders['x'] == 'y'", "`heders`", 1, "did you mean `headers`"),
    ("body.x && bdy.y == 1", "`bdy`", 11, "did you mean `body`"),
    ("foo.bar == 1", "`foo`", 1, "bound are `body`, `headers`"),
    ("body.x == True", "`True`", 11, "did you mean `true`"),
    ("body.x = 1", "unexpected `=`", 8, "`==` compares"),
    ("body.x == 1 and body.y", "`and`", 13, "write `&&`"),
    ("body.x == 1 or true", "`or`", 13, "write `||`"),
    ("not body.x", "no `not`", 1, "write `!`"),
    ("body.x ==", "ends too early", 10, "mend it"),
    ("", "ends too early", 1, "mend it"),
    ("body.x == 'abc", "`'abc`", 11, "close the text"),
    ("body.x == `a`", "``a``", 11, "quotes"),
    ("(body.x == 1", "missing ')'", 13, "mend it"),
    ("len(body.x) > 3", "`len`", 1, "`size`"),
    ("body.s.startWith('x')", "`startWith`", 8, "did you mean `startsWith`"),
    ("size(body, 1) > 3", "size() takes other arguments", 1, "mend it"),
    ("path == 1", "`==` does not go with string and int", 6, "alike with alike"),
    ("body.x > 8 + 1.0", "`+` does not go with int and double", 12, "double(...)"),
    ("size(body.x)", "this is int", 1, "compare it"),
    ("'a' + body.x", "this is string", 1, "compare it"),
    ("has(body)", "has() takes a path", 5, "in body"),
    ("body.x.exists(body, body > 1)", "`body` is bound already", 14, "another name"),
    ("'a'.matches(body.x)", "a fixed text", 17, "otherwise"),
    ("body.x.matches('(')", "no regular expression (missing )", 16, "mend it"),
    ("body.x.matches('\\\\pL{30}')", "too large", 16, "simplify"),
    ("google.protobuf.Int32Value{value: 1} == 1", "messages", None, "{'key': value}"),
    ("[" * 40 + "]" * 40 + " == 1", "nested", None, "take it apart"),
    ("'\ud800' == body.x", "surrogate", None, "remove"),
    (f"body.x == '{'a' * 5000}'", "longer than 4096", None, "shorten"),
]


@pytest.mark.parametrize(("expression", "wrong", "column", "mend"), FAULTS)
def test_a_fault_has_its_column_and_a_way_out(
    expression: str, wrong: str, column: int | None, mend: str
) -> None:
    with pytest.raises(Fault) as caught:
        compile(f"cel:{expression}")
    said = str(caught.value)
    assert wrong in said
    assert mend in said.partition("; ")[2]
    if column is not None:
        assert f" at column {column} of " in said
        assert caught.value.at == len("cel:") + column - 1


def test_a_text_of_several_lines_has_lines() -> None:
    with pytest.raises(Fault, match="`bdy` at line 3, column 4 of"):
        compile("cel: body.x == 1 &&\n  body.y == 2 &&\n   bdy.z\n")


def test_an_answer_is_not_bound_where_there_is_none() -> None:
    with pytest.raises(Fault, match=r"`status` is not bound here .*after the first step of a Seq"):
        compile("cel: status == 200", answered=False)


@settings(deadline=None)  # the first one loads the library
@given(st.text(alphabet=" abodyx.[]()'\"=&|!<>1280,?:{}+-\\\n", max_size=60))
def test_any_text_compiles_or_has_a_fault(expression: str) -> None:
    said = "; "
    try:
        compile(f"cel:{expression}")
    except Fault as fault:
        said = str(fault)
    assert "; " in said
