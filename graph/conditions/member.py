"""The commonest condition, `[@this].#(key=="text")`: is this member of the body that text?

A Switch asks it of one key, branch after branch. So the member is looked up once, its text stays
with the document, and each branch compares. The look is one regular expression over a body that is
known to be JSON; what it cannot tell (escapes, other values than strings, a member far inside) it
leaves to the search.
"""

import re
from functools import cache
from typing import Final

from graph.conditions.native import KEY, TEXT, WORD
from graph.document import CONTAINER, INVALID, Document

_CONDITION: Final = re.compile(
    rf"\[@this\]\.#\( *(?![0-9])(?P<key>{KEY}) *==? *(?:(?P<word>{WORD})|(?P<text>{TEXT})) *\)"
)
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LEVELS: Final = 4  # of containers that a look steps over
_NEAR: Final = 128  # bytes; further on, stepping over what comes before costs more than a search
_ROOM: Final = 512  # bytes, for the key and its text


def _container(levels: int) -> bytes:
    inside = rb'[^\[\]{}"]++|' + _STRING + (b"|" + _container(levels - 1) if levels > 1 else b"")
    return rb"[\[{](?:" + inside + rb")*+[\]}]"


_VALUE: Final = rb'(?:[^\[\]{}",]++|' + _STRING + b"|" + _container(_LEVELS) + b")"


class Member:
    """A key of the body's outermost object. `look` leaves with the document what stands there."""

    __slots__ = ("_after", "_before", "_name")

    def __init__(self, key: bytes) -> None:
        self._name = b'"' + key + b'"'
        name = re.escape(self._name)
        other = b"(?!" + name + rb')"[^"\\]*+"\s*+:\s*+' + _VALUE + rb"\s*+"
        this = name + rb'\s*+:\s*+"([^"\\]*+)"'
        self._before = re.compile(rb"\{\s*+(?:" + other + rb",\s*+)*+" + this, re.DOTALL).match
        self._after = re.compile(this + rb"\s*+(?:,\s*+" + other + rb")*+\}\s*+\Z", re.DOTALL).match

    def look(self, document: Document) -> None:
        """Sets the document's `member` to this one, and `text` to the string that it is; to b"" if
        no text can equal it, to None if this look cannot tell.
        """
        document.member = self
        document.text = None
        shape = document.shape or document.examine()
        if shape == CONTAINER:
            body = document.json
            at = body.find(self._name)
            if at < 0:
                if b"\\" not in body:  # else an escape may spell the key
                    document.text = b""
                return
            if at <= _NEAR:
                found = self._before(body, 0, at + _ROOM)
            elif at >= len(body) - _NEAR and b"\\" not in body:
                found = self._after(body, at)
            else:
                return
            if found is not None:
                document.text = found[1]
        elif shape == INVALID:
            document.text = b""


@cache
def _member(key: str) -> Member:
    return Member(key.encode())


def member_is(text: str) -> tuple[Member, bytes] | None:
    """What a condition of this form asks: which member, and for which text (never empty)."""
    asked = _CONDITION.fullmatch(text)
    if asked is None:
        return None
    return _member(asked["key"].rstrip(" ")), (asked["word"] or asked["text"][1:-1]).encode()
