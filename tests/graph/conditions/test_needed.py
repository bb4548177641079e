"""An equality first looks for its member in the bytes: that may only ever save work."""

import pytest

from graph.conditions import compile

TEXT = '[@this].#(kind=="a")'


@pytest.mark.parametrize(
    ("path", "body", "matches"),
    [
        pytest.param(TEXT, b'{"kind":"a"}', True, id="the member as it is usually written"),
        pytest.param(TEXT, b'{"kind" :\n "a"}', True, id="white space around the colon"),
        pytest.param(TEXT, b'{"kind":0}', True, id="a number: Go reads the text as nought"),
        pytest.param(TEXT, b'{"kind":1}', False, id="another number"),
        pytest.param(TEXT, b'{"ki\\u006ed":"\\u0061"}', True, id="key and text written in escapes"),
        pytest.param(TEXT, b'{"kind":"\\u0061"}', True, id="the text written in escapes"),
        pytest.param(TEXT, b'{"kind":"b","x":"\\n"}', False, id="an escape elsewhere, no match"),
        pytest.param(TEXT, b'{"kind":"ab"}', False, id="longer text"),
        pytest.param(TEXT, b'{"other":{"kind":"a"}}', False, id="the member at another place"),
        pytest.param("[@this].#(kind==true)", b'{"kind":true}', True, id="a boolean"),
        pytest.param("a.#(b.c==x)", b'{"a":[{"b":{"c":"x"}}]}', True, id="a chain of keys"),
        pytest.param("a.#(b.c==x)", b'{"a":[{"b":{"c":"y"}}]}', False, id="a chain, other text"),
        pytest.param("a.#(k==x).k", b'{"a":[{"k":"x"}]}', True, id="a query that goes on"),
    ],
)
def test_equality(path: str, body: bytes, matches: bool) -> None:
    assert compile(path)(body) is matches
