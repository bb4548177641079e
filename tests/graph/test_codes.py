"""docs/checks.md is the registry of codes, in words."""

import re
from pathlib import Path

from graph.codes import Code

TABLE = Path(__file__).parent.parent.parent / "docs" / "checks.md"
ROW = re.compile(r"^\| `([a-z-]+)` \| (error|warning)(\*?) \|", re.MULTILINE)


def test_the_document_lists_every_code_with_its_severity_in_order() -> None:
    documented = [
        (code, severity, bool(star)) for code, severity, star in ROW.findall(TABLE.read_text())
    ]
    assert documented == [(code.text, str(code.severity), code.admission) for code in Code]


def test_codes_are_kebab_case_and_unique() -> None:
    texts = [code.text for code in Code]
    assert len(set(texts)) == len(texts)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", text) for text in texts)
