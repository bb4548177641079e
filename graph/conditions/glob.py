"""GJSON's wildcards: `*` is any run of characters, `?` is one, a backslash makes one literal.

The text before the first star and the text after the last one have fixed places; what stands
between two stars is right at its first place, so nothing is ever tried twice and a match costs at
most the product of both lengths. Go compares characters and reads every byte that is not UTF-8 as
U+FFFD; so do we.
"""

import re
from typing import Final

_UNDECODED: Final = re.compile("[\udc80-\udcff]")
_ASCII: Final = r'[^"\\\x80-\xff]'  # one character of a name


def characters(text: bytes) -> str:
    """Text as Go's range over a string gives it."""
    if text.isascii():
        return text.decode("ascii")
    return _UNDECODED.sub("\ufffd", text.decode("utf-8", "surrogateescape"))


class Glob:
    """A compiled pattern."""

    __slots__ = ("_first", "_last", "_least", "_middle", "_starred", "quoted")

    def __init__(self, pattern: bytes) -> None:
        segments = _segments(characters(pattern))
        sources = [_source(segment) for segment in segments]
        self._starred = len(segments) > 1
        self._first = re.compile(sources[0], re.DOTALL)
        self._last = re.compile(sources[-1], re.DOTALL)
        self._middle = [re.compile(source, re.DOTALL) for source in sources[1:-1] if source]
        self._least = len(segments[-1])
        self.quoted = _quoted(segments)

    def matches(self, text: bytes) -> bool:
        string = characters(text)
        if not self._starred:
            return self._first.fullmatch(string) is not None
        head = self._first.match(string)
        end = len(string) - self._least
        if head is None or end < head.end() or self._last.match(string, end) is None:
            return False
        at = head.end()
        for segment in self._middle:
            found = segment.search(string, at, end)
            if found is None:
                return False
            at = found.end()
        return True


def _segments(pattern: str) -> list[list[str]]:
    """The pieces between stars; a character stands for itself, an empty string for any one."""
    segments: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            segments.append([])
            continue
        if char == "?":
            char = ""
        elif char == "\\" and at < len(pattern):
            char = pattern[at]
            at += 1
        elif char == "\\" and len(segments) == 1:
            char = "never"  # in Go a backslash before nothing matches nothing; after a star, itself
        segments[-1].append(char)
    return segments


def _source(segment: list[str], any_one: str = ".") -> str:
    """A regular expression without repetition: it cannot backtrack."""
    return "".join(any_one if not c else "(?!)" if c == "never" else re.escape(c) for c in segment)


def _quoted(segments: list[list[str]]) -> bytes:
    """The pattern of all names that match, as JSON writes them, with the quote behind them.

    It is made for ASCII and matches every name that holds anything else; of escapes it knows
    nothing. Each star stops where it first may, and is not asked again.
    """
    first, *others = [_source(segment, _ASCII).encode() for segment in segments]
    middle = [rb"(?>%b*?%b)" % (_ASCII.encode(), segment) for segment in others[:-1] if segment]
    last = [rb"%b*?%b" % (_ASCII.encode(), segment) for segment in others[-1:]]
    pattern = b"".join([first, *middle, *last])
    return rb'(?:%b*+[\x80-\xff]|%b")' % (_ASCII.encode(), pattern)
