"""The whole of GJSON, by both evaluators."""

import json
from pathlib import Path

import pytest

from graph.conditions import compile
from graph.conditions.search import Search
from graph.document import Document
from tests.graph.conditions.language import ROWS

VECTORS = Path(__file__).parents[4] / "shared" / "data" / "gjson_vectors.jsonl"


@pytest.mark.parametrize(
    ("body", "path", "exists"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_path_finds_what_gos_gjson_finds(body: str, path: str, exists: bool) -> None:
    raw = body.encode()
    assert compile(path)(raw) is exists
    assert bool(Search(10**9).get(raw, path.encode())) is exists


@pytest.mark.parametrize("path", sorted({row[2] for row in ROWS}))
def test_no_path_matches_what_is_no_json(path: str) -> None:
    condition = compile(path)
    for body in (b"", b"{", b'{"a":1}}', b"\xef\xbb\xbf[1]", b"[01]", b'["\t"]', b"nul"):
        assert not condition(body)


@pytest.mark.skipif(not VECTORS.exists(), reason="vectors of Go's GJSON are not at hand")
def test_vectors_of_gos_gjson() -> None:
    differing = []
    for line in VECTORS.read_text().splitlines():
        vector = json.loads(line)
        document = Document(vector["json"].encode())
        condition = compile(vector["path"])
        exists = vector["valid"] and vector["exists"]
        if (document.valid, condition.matches(document)) != (vector["valid"], exists):
            differing.append(vector)
    assert differing == []
