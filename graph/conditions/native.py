"""Which GJSON paths the Rust library answers as Go's GJSON does, and how to ask it.

pygjson (gjson.rs) is ten times faster than our own search, and differs from Go in more than it
seems. Read from its source, and checked against our search by a property test:

- after a key that led nowhere it goes on inside that key's value, so `a.b` finds
  `{"a":{"a":{"b":1}}}`; harmless only where the key stands once in the body;
- `""`, `~true`, escapes, `#(...)#`, `?` beside other than ASCII, pipes, modifiers, multipaths and
  literals: other meanings, or none; its wildcards are exponential in the number of stars;
- blanks after the left side of a query belong to its key (so it is asked without them);
- a root string is never entered; escaped surrogate pairs are decoded wrongly.

So the rule: the path is in the grammar below, and the body, already known to be a shallow JSON
container, has no `\\u` escape and holds each key that is not the last of its chain at most once.
Everything else is for `search`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pygjson

_CHAR: Final = r'[^\x00-\x1f\x7f.|#*?\\\[\](){}!"<>=%~]'
KEY: Final = rf"(?:[0-9]{{1,18}}(?=[.\s!=<>%)]|$)|(?![@+\-0-9 ]){_CHAR}+)"
_STARRED: Final = rf"(?:(?![@+\-0-9 ]){_CHAR}+\*{_CHAR}*|\*(?:{_CHAR}+\*?)?)"
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
# Text is a number too, where the body has one; these are numbers in Go or in Rust, not in both.
WORD: Final = r"(?!(?i:inf|infinity|nan)(?![A-Za-z0-9_-]))[A-Za-z_][A-Za-z0-9_-]*"
_ODD_NUMBER: Final = r'[+-]?(?i:inf|infinity|nan|0x[^"]*|[.0-9][^"]*_[^"]*)"'
TEXT: Final = rf'"(?!~|{_ODD_NUMBER})[^"\\\x00-\x1f]+"'
_GLOB: Final = (
    r'(?:[^"\\*?~\x00-\x1f]+\*?|[^"\\*?~\x00-\x1f]*\*[^"\\*?\x00-\x1f]+|\*[^"\\*?\x00-\x1f]*\*)'
)
_BARE_GLOB: Final = r"(?:[A-Za-z0-9_-]+\*?|[A-Za-z0-9_-]*\*[A-Za-z0-9_-]+|\*[A-Za-z0-9_-]*\*)"
_COMPARED: Final = (
    rf'(?:(?:==?|!=|<=?|>=?) *(?:{_NUMBER}|{WORD}|{TEXT})|!?% *(?:"{_GLOB}"|{_BARE_GLOB}))'
)
_QUERY: Final = rf"#\( *(?P<left>{KEY}(?:\.{KEY})*)? *{_COMPARED} *\)"
_EXISTS: Final = rf"#\((?P<exists>{KEY}(?:\.{KEY})*(?<! ))\)"
_COMPONENT: Final = re.compile(rf"(?P<key>{KEY})|{_QUERY}|{_EXISTS}")
_EACH: Final = re.compile(rf"#(?:\.{KEY})*")
_ALL: Final = re.compile(rf"(?:{_QUERY}|{_EXISTS})#(?:\.{KEY}|\.#)*")
_STARRED_KEY: Final = re.compile(_STARRED)
_WRAPPED: Final = "[@this]."
_EQUALS: Final = re.compile(
    rf".*#\( *(?:{KEY}\.)*(?![0-9])(?P<key>{KEY}) *==? *"
    rf"(?:(?P<word>{WORD})|(?P<text>{TEXT})) *\)"
)
_FIRST: Final = re.compile(rf"(?![0-9])(?P<key>{KEY})(?:\.|$)")
_ASKED: Final = re.compile(
    rf".*#\( *(?:{KEY}\.)*(?![0-9])(?P<key>{KEY})(?: *{_COMPARED} *|(?<! ))\)(?:\..*)?"
)


@dataclass(frozen=True, slots=True)
class NativePath:
    """What to ask, of the body or an array around it, if quoted names stand in it only so often."""

    path: str
    wrapped: bool
    limits: tuple[tuple[bytes, int], ...]
    plain: bool  # only a body without \\u escapes
    # A body without escapes cannot match without these; most branches of a Switch fail by that.
    needed: bytes | None
    shown: re.Pattern[bytes] | None


def native_path(text: str) -> NativePath | None:
    """The question for the library, if the rule lets it answer this path."""
    wrapped = text.startswith(_WRAPPED)
    understood = _understood(text.removeprefix(_WRAPPED)) if text.isprintable() else None
    if understood is None:
        return None
    path, limits = understood
    counted = tuple((f'"{name}"'.encode(), most) for name, most in limits.items())
    single = not limits and not wrapped and path.isascii() and "#" not in path
    return NativePath(path, wrapped, counted, not single, _needed(path), _shown(path))


def _needed(path: str) -> bytes | None:
    """A key that a query asks for, since what has no such member does not match it; else the first
    key of the path.
    """
    found = _ASKED.fullmatch(path) or _FIRST.match(path)
    return None if found is None else f'"{found["key"].rstrip(" ")}"'.encode()


def _shown(path: str) -> re.Pattern[bytes] | None:
    """For a path that ends with `#(key=="text")` that member, with the text or with anything but a
    string.
    """
    equals = _EQUALS.fullmatch(path)
    if equals is None:
        return None
    key, text = equals["key"].rstrip(" "), equals["word"] or equals["text"][1:-1]
    return re.compile(rb'"%b"\s*:\s*(?:"%b"|[^"\s])' % (_quoted(key), _quoted(text)))


def _quoted(text: str) -> bytes:
    return re.escape(text).encode()


def _understood(path: str) -> tuple[str, dict[str, int]] | None:
    """For a path of the grammar: what to ask, and how often names may stand in the body."""
    limits: dict[str, int] = {}
    at = 0
    while True:
        if (each := _EACH.fullmatch(path, at)) is not None:
            return path, limits | {"#": 1} if "." in each[0] else limits
        if _ALL.fullmatch(path, at):
            # The list of all matches exists wherever the array does, and so does its count.
            return path[:at] + "#", limits | {"#": 0}
        if _STARRED_KEY.fullmatch(path, at):
            return path, limits
        component = _COMPONENT.match(path, at)
        if component is None:
            return None
        at = component.end()
        last = at == len(path)
        if not last and path[at] != ".":
            return None
        left = component["left"] or component["exists"]
        if component["left"] is not None and left != left.rstrip(" "):
            blank = component.start("left") + len(left.rstrip(" "))
            return _understood(path[:blank] + path[component.end("left") :])
        if component["key"] is not None:
            limits |= {} if last else {component["key"]: 1}
        elif left is not None:
            limits |= dict.fromkeys(left.split(".")[:-1], 1)
        elif last:
            limits[""] = 0  # without a left side, objects are asked for their empty key
        else:
            return None  # and what follows would be searched in strings
        if last:
            return path, limits
        at += 1


pygjson_get: Final[Callable[[bytes, str], Any]] = pygjson.get_bytes
