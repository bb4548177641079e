"""Codes of graphs. That they are documented is tested beside those of other rooms, in tests/cli."""

import re

from graph.codes import Code


def test_codes_are_kebab_case_and_unique() -> None:
    texts = [code.text for code in Code]
    assert len(set(texts)) == len(texts)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", text) for text in texts)
