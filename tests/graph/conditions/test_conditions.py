"""Texts become conditions, and conditions answer for whatever holds a body."""

import pytest

from graph.conditions import Condition, compile
from graph.document import Document
from graph.effects import Input, Payload


@pytest.mark.parametrize(
    ("text", "language"),
    [("a", "gjson"), ("", "gjson"), ("jmespath:a", "jmespath"), ("JMESPATH:a", "gjson")],
)
def test_the_prefix_tells_the_language(text: str, language: str) -> None:
    condition = compile(text)
    assert condition.language == language
    assert condition.text == text
    assert repr(condition) == f"<{language} condition {text!r}>"


@pytest.mark.parametrize("text", ["a", "@this", "a|@keys", "[@this].#(a==1)", "jmespath:a"])
def test_a_condition_answers_for_bytes_documents_and_inputs(text: str) -> None:
    condition = compile(text)
    assert isinstance(condition, Condition)
    for body, matches in ((b'{"a":1}', True), (b"{", False)):
        document = Document(body)
        assert condition(body) is matches
        assert condition(document) is matches
        assert condition(Input(Payload(document, ()))) is matches
        assert condition.matches(document) is matches


def test_any_text_is_a_gjson_path() -> None:
    for text in ("\ud800", "\x00", "((((", '"', "é" * 10_000):
        assert not compile(text)(b"{}")
