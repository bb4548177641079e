r"""What a path may pass over many values at a time: patterns of members and elements.

A match takes what a walk would take, one by one, and find to lead nowhere. Where a value ends is
beyond doubt only in JSON, so that is all that these match, although a walk takes any text; and all
that they know of an escape in a name is which characters it cannot stand for.
"""

import re
from typing import Final

from graph.conditions.scan import QUOTED, SHALLOW

_SEPARATOR: Final = rb"[ \t\r\n,]*+"
_COLON: Final = rb"[ \t\r\n]*+:[ \t\r\n]*+"
_TOKEN: Final = rb"-?[0-9][0-9.eE+\-]*+|true|false|null"
_BEHIND: Final = rb"(?=[ \t\r\n,\]}])"  # a value
_SCALAR: Final = rb"(?:%b|%b)%b" % (QUOTED, _TOKEN, _BEHIND)
_VALUE: Final = rb"(?:%b|%b|(?=[{\[])%b)%b" % (QUOTED, _TOKEN, SHALLOW, _BEHIND)
_ELEMENT: Final = re.compile(rb"%b|%b|%b" % (QUOTED, _TOKEN, SHALLOW), re.DOTALL)
# A string that holds a bracket is not among these: GJSON's paths lead into it.
_INERT_STRING: Final = rb'"[^"\\{\[]*+(?:\\[^{\[][^"\\{\[]*+)*+"'
_INERT: Final = rb"(?:%b|%b)%b" % (_INERT_STRING, _TOKEN, _BEHIND)
# A name that begins so cannot equal one that holds none of these characters.
_ESCAPABLE: Final = frozenset(b'"\\/\b\f\n\r\t')
_ESCAPED_NAME: Final = rb'[^"\\\x00-\x1f]*+\\["\\/bfnrt][^"\\]*+(?:\\.[^"\\]*+)*+"'
# A path of names and nothing else, the first of which is no index: it leads only into objects.
_KEYS: Final = re.compile(rb"([A-Za-z_-][A-Za-z0-9_-]*)(?:\.[A-Za-z0-9_-]+)*")

# So few elements that those before an index of a few hundred cost nothing, and so many that the
# steps between two matches do not count.
AT_ONCE: Final = 500


def _elements(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?:%b%b){1,%d}+" % (_SEPARATOR, pattern, AT_ONCE), re.DOTALL)


ELEMENTS: Final = _elements(_VALUE)
INERT_ELEMENTS: Final = _elements(_INERT)


def count_elements(run: bytes) -> int:
    """How many elements there are in a match of any pattern of elements."""
    return len(_ELEMENT.findall(run))


def elements_without(path: bytes) -> re.Pattern[bytes]:
    """Elements in which a path that does not begin like one from anything finds nothing."""
    keys = _KEYS.fullmatch(path)
    if keys is None:
        return INERT_ELEMENTS
    return _elements(rb"(?:%b|%b)" % (_INERT, _container_without(keys[1])))


def members_without(key: bytes, *, inside: bytes | None) -> re.Pattern[bytes]:
    """Members of other names, and if the path goes on inside, of this one where that is in vain."""
    return _members(_other_name(key), inside)


def members_unlike(quoted: bytes, *, inside: bytes | None) -> re.Pattern[bytes]:
    """The same for the names that a pattern matches together with the quote behind them."""
    return _members(rb'(?!%b)[^"\\]*+"' % quoted, inside)


def _members(name: bytes, inside: bytes | None) -> re.Pattern[bytes]:
    members = _member(name, _VALUE)
    if inside is not None:
        keys = _KEYS.fullmatch(inside)
        vain = rb"(?:%b|%b)" % (_SCALAR, _container_without(keys[1])) if keys else _SCALAR
        members += b"|" + _member(rb'[^"\\]*+"', vain)
    return re.compile(rb"(?:%b)*+" % members, re.DOTALL)


def _container_without(key: bytes) -> bytes:
    members = rb"(?:%b)*+[ \t\r\n]*+" % _member(_other_name(key), _VALUE)
    return rb"(?:(?=\[)%b|\{%b\})%b" % (SHALLOW, members, _BEHIND)


def _member(name: bytes, value: bytes) -> bytes:
    return rb'%b"%b%b%b' % (_SEPARATOR, name, _COLON, value)


def _other_name(key: bytes) -> bytes:
    other = rb'(?!%b")[^"\\]*+"' % re.escape(key)
    return other if _ESCAPABLE.intersection(key) else rb"(?:%b|%b)" % (other, _ESCAPED_NAME)
