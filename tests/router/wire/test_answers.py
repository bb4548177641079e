"""The corpus of hostile answers: what a call gets, and whether its connection serves another.

Judged through a whole connection to a predictor. `reusable` means that it went back to its pool and
was still there when every byte had come: bytes behind an answer may arrive with it or later, and in
neither case may another call see them.
"""

import pytest

from tests.router.wire.corpus import Case, cases, portions, sent, written
from tests.router.wire.judges import Answered, answer_parser, judge_answer

ANSWERS = cases("answers")
OF_ANY_SIZE = [each for each in ANSWERS if "above the limit" not in each.id]


@pytest.mark.parametrize("case", ANSWERS)
def test_the_verdict_is_the_same_however_the_bytes_arrive(case: Case) -> None:
    reply = case.get("reply")
    expected = Answered(
        None if reply is None else (reply[0], written(reply[1])),
        case.get("failure"),
        case.get("reusable", False),
    )
    parse = answer_parser()
    to_head = case.get("to_head", False)
    for how, pieces in portions(sent(case)):
        assert judge_answer(pieces, case.get("then"), parse, to_head) == expected, how


@pytest.mark.parametrize("case", OF_ANY_SIZE)
def test_the_verdict_is_the_same_where_the_answer_may_stream(case: Case) -> None:
    parse = answer_parser()
    to_head = case.get("to_head", False)
    for how, pieces in portions(sent(case)):
        gathered = judge_answer(pieces, case.get("then"), parse, to_head)
        assert judge_answer(pieces, case.get("then"), parse, to_head, streams=True) == gathered, how


def test_there_are_enough_cases_and_each_has_its_own_sentence() -> None:
    ids = [parameter.id for parameter in ANSWERS]
    assert len(ids) == len(set(ids)) >= 100
