"""Bytes -> text that a YAML parser may see: the encoding settled, the characters checked."""

import codecs
import re
from collections.abc import Callable

from graph.codes import Code

Report = Callable[[Code, int, int, str], None]  # code, line and column from 0, message

_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# JSON spells a character beyond U+FFFF as two escapes, YAML as one.
_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)


def decode(data: bytes, report: Report) -> str | None:
    """UTF-8, or what a byte order mark says. None if it is no text, which has then been told."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8-sig")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        line, column = _place(before, len(before))
        message = "these bytes are no UTF-8 text; save the file as UTF-8"
        report(Code.NOT_TEXT, line, column, message)
        return None


def readable(text: str, report: Report) -> str | None:
    """The text for the parser, or None if it holds a character that YAML forbids."""
    if found := _REFUSED.search(text):
        line, column = _place(text, found.start())
        message = (
            f"character U+{ord(found[0]):04X} cannot stand in YAML or JSON;"
            " remove it, or write it as an escape in double quotes"
        )
        report(Code.NOT_TEXT, line, column, message)
        return None
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "[") and "\\u" in text:
        return _PAIR.sub(_joined, text)
    return text


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF):08x}"


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index), index - (text.rfind("\n", 0, index) + 1)
