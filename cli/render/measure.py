"""How wide a text is, without a font at hand, and how to shorten it to a width.

Widths are those of Helvetica and of the fonts made to replace it; every SVG text says its width
(`textLength`), so another font is fitted to the place that was kept for it.
"""

import re
from typing import Final
from unicodedata import category, east_asian_width

# Thousandths of the font size, for the characters from space to tilde.
_SANS: Final = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_OTHER, _WIDE, _MONO = 620, 1100, 602
_BOLDER = 1.07
ELLIPSIS: Final = "…"
# What no line of a picture may hold: it breaks XML, breaks the line, or turns the text round.
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]+"
)


def one_line(text: str) -> str:
    """The text as a picture can hold it."""
    return " ".join(_UNSHOWABLE.sub(" ", text).split())


def width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    total = sum(_advance(character, mono) for character in text)
    return total * size * (_BOLDER if bold and not mono else 1) / 1000


def fit(text: str, most: float, size: float, *, bold: bool = False, mono: bool = False) -> str:
    """The text, or its beginning and an ellipsis, no wider than `most`."""
    if width(text, size, bold=bold, mono=mono) <= most:
        return text
    kept, room = 0, most - width(ELLIPSIS, size, bold=bold, mono=mono)
    for character in text:
        room -= width(character, size, bold=bold, mono=mono)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + ELLIPSIS


def fit_middle(text: str, most: float, size: float, *, mono: bool = False) -> str:
    """The same for what is told apart by its end too, as a URL is."""
    if width(text, size, mono=mono) <= most:
        return text
    half = (most - width(ELLIPSIS, size, mono=mono)) / 2
    return _within(text, half, size, mono) + ELLIPSIS + _within(text[::-1], half, size, mono)[::-1]


def _within(text: str, room: float, size: float, mono: bool) -> str:
    for kept, character in enumerate(text):
        room -= width(character, size, mono=mono)
        if room < 0:
            return text[:kept]
    return text


def _advance(character: str, mono: bool) -> int:
    if " " <= character <= "~":
        return _MONO if mono else _SANS[ord(character) - 32]
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    if east_asian_width(character) in "WF" or character >= "\U0001f000":
        return _WIDE
    return _MONO if mono else 1000 if character == ELLIPSIS else _OTHER
