"""What users wrote, quoted short and printable, and the nearest known word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.wording import COMPARISONS, SHOWN_CHARACTERS, Speller, shown, trail


@given(st.text())
def test_what_is_shown_is_short_and_prints(text: str) -> None:
    found = shown(text)
    assert found.isprintable()
    assert len(found) <= 10 * SHOWN_CHARACTERS + 2


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("weigth", "weight"),
        ("service_url", "serviceUrl"),
        ("SERVICENAME", "serviceName"),
        ("zebra", None),
        ("", None),
        ("w" * 1000, None),
    ],
)
def test_nearest(word: str, near: str | None) -> None:
    assert Speller(["weight", "serviceUrl", "serviceName", "x" * 1000]).nearest(word) == near


def test_hints_have_a_budget() -> None:
    speller = Speller(["weight"])
    hints = [speller.hint("weigth") for _ in range(COMPARISONS + 1)]
    assert hints[0] == "; did you mean `weight`?"
    assert hints[-1] == ""


def test_a_long_trail_keeps_its_ends() -> None:
    assert trail(["a", "b", "a"]) == "a -> b -> a"
    assert trail([str(n) for n in range(12)]).count("->") == 11
    assert trail([str(n) for n in range(100)]) == (
        "0 -> 1 -> 2 -> 3 -> 4 -> 5 -> … (89 more) -> 95 -> 96 -> 97 -> 98 -> 99"
    )
    assert len(trail(["n" * 1000])) == SHOWN_CHARACTERS
