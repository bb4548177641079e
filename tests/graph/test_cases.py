"""Golden cases: each file in tests/cases holds a manifest and the problems that it has.

The first comment lines say in a sentence what the case is about. `# with: kserve` asks for that
option, and the last lines `# expect: LINE:COLUMN SEVERITY CODE`, or `# expect: fine`, are all
problems in the order of their places. To add a case, add a file.
"""

import re
from pathlib import Path

import pytest

from graph.codes import Code
from graph.loader import load
from graph.workspace import checked

CASES = Path(__file__).parent.parent / "cases"
EXPECT = re.compile(r"^# expect: (.+)$", re.MULTILINE)
# What no manifest in a file of its own can show; each has a test elsewhere.
ELSEWHERE = {
    Code.UNREADABLE_PATH,
    Code.TOO_LARGE,
    Code.NOT_TEXT,
    Code.TOO_MANY_PROBLEMS,
    Code.IGNORED_FIELD,
    Code.TOO_DEEP,
    Code.UNKNOWN_SERVICE,  # of `serve` and `up` alone
}


def expected(text: str) -> list[str]:
    lines = EXPECT.findall(text)
    return [] if lines == ["fine"] else lines


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_case_has_exactly_the_problems_it_expects(case: Path) -> None:
    text = case.read_text()
    assert EXPECT.search(text), "a case without expectation proves nothing"
    workspace = checked([load(text, case.name)], kserve="# with: kserve\n" in text)
    found = [
        f"{problem.line}:{problem.column} {problem.problem.severity} {problem.problem.code}"
        for problem in workspace.problems
    ]
    assert found == expected(text), "\n".join(map(str, workspace.problems))


def test_every_code_has_a_case() -> None:
    seen = {
        line.split()[-1] for case in CASES.glob("*.yaml") for line in expected(case.read_text())
    }
    assert {code.text for code in Code if code not in ELSEWHERE} - seen == set()
