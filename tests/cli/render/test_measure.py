"""Widths and shortening."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.render.measure import ELLIPSIS, fit, fit_middle, one_line, width

WIDTHS = st.floats(20, 400)


@given(st.text(), WIDTHS, st.booleans())
def test_a_shortened_text_is_no_wider_than_asked(text: str, most: float, mono: bool) -> None:
    for shorten in (fit, fit_middle):
        assert width(shorten(text, most, 11, mono=mono), 11, mono=mono) <= most


@given(st.text(max_size=20))
def test_a_text_that_fits_is_left_alone(text: str) -> None:
    assert fit(text, 1000, 11) == fit_middle(text, 1000, 11) == text


def test_the_middle_of_a_url_goes() -> None:
    url = "models.example.com/" + "x" * 100 + "/infer"
    shortened = fit_middle(url, 200, 11)
    assert shortened.startswith("models.example")
    assert shortened.endswith("/infer")
    assert ELLIPSIS in shortened


def test_wide_and_combining_characters() -> None:
    assert width("二", 10) > width("m", 10) > width("i", 10)
    assert width("e\u0301", 10) == width("e", 10)
    assert width("iii", 10, mono=True) == width("mmm", 10, mono=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\t c", "a b c"),
        ("\x1b[31mred", "[31mred"),
        ("a\u202eb", "a b"),
        ("\ud800x\ufffe", "x"),
        ("שלום", "שלום"),
    ],
    ids=ascii,
)
def test_one_line_of_what_a_picture_can_hold(text: str, shown: str) -> None:
    assert one_line(text) == shown
