"""What a GJSON text says beside its meaning: that it matches all, or was meant otherwise.

GJSON has no syntax errors, so a text from another language is a legal path that finds nothing, or
everything. Each warning tells what the text means here and what to write instead. They are guesses
and never change a result.
"""

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from graph.conditions.modifiers import modifier_call
from graph.conditions.paths import MODIFIERS, selectors
from graph.conditions.search import Search, nests_too_deep


class _Sure(IntEnum):
    """What a path gives for any JSON text."""

    NOTHING = 0
    VALUE = 1
    ARRAY = 2


_OF_ANY_TEXT: Final = {
    b"this": _Sure.VALUE,
    b"pretty": _Sure.VALUE,
    b"ugly": _Sure.VALUE,
    b"valid": _Sure.VALUE,
    b"reverse": _Sure.VALUE,
    b"tostr": _Sure.VALUE,
    b"flatten": _Sure.VALUE,
    b"keys": _Sure.ARRAY,
    b"values": _Sure.ARRAY,
    b"dig": _Sure.ARRAY,
}
_KEEPS_ARRAYS: Final = frozenset((b"this", b"pretty", b"ugly", b"valid", b"reverse", b"flatten"))
_FROM_ARRAYS: Final = re.compile(rb"#(?:\.[^|]*)?|#\([^\[\]()\"\\]*\)#(?:\.[^|]*)?", re.DOTALL)
_KEYS: Final = re.compile(rb"[A-Za-z_][\w.-]*")
_LITERAL_FUEL: Final = 1_000_000


def always_matches(text: str) -> bool:
    """Known from the text alone: the path exists in every JSON document. False if in doubt."""
    path = text.encode("utf-8", "surrogatepass")
    return not nests_too_deep(path) and _sure(path, _Sure.VALUE) is not _Sure.NOTHING


def _sure(path: bytes, given: _Sure) -> _Sure:
    """What a path surely gives for a JSON text, or for any array."""
    while True:
        if path[:1] == b"!":
            return _literal(path)
        if path[:2] == b"..":  # the text is the only element of a list
            return (
                _Sure.VALUE if path == b"..0" or _FROM_ARRAYS.fullmatch(path, 2) else _Sure.NOTHING
            )
        if given is _Sure.ARRAY and _FROM_ARRAYS.fullmatch(path):
            return _Sure.VALUE if path == b"#" else _Sure.ARRAY
        head, rest = _head(path, given)
        if head is _Sure.NOTHING or not rest:
            return head
        if rest[:1] not in (b".", b"|"):
            return _Sure.NOTHING
        path, given = rest[1:], head


def _literal(path: bytes) -> _Sure:
    """A literal does not look at the text, so it can be tried on texts without any key."""
    found = [Search(_LITERAL_FUEL).get(text, path) for text in (b"null", b"[]", b"{}")]
    return _Sure.VALUE if all(found) else _Sure.NOTHING


def _head(path: bytes, given: _Sure) -> tuple[_Sure, bytes]:
    """What the modifier or multipath at the head of a path surely gives, and what follows it."""
    if path[:1] == b"@" and (call := modifier_call(path)) is not None:
        name = re.split(rb"[:.|]", path[1:], maxsplit=1)[0]
        sure = _OF_ANY_TEXT.get(name, _Sure.NOTHING)
        if name in _KEEPS_ARRAYS:
            sure = given
        if name == b"dig" and call.rest and not _KEYS.fullmatch(call.argument):
            sure = _Sure.NOTHING  # for the reason below
        return sure, call.rest
    if path[:1] in (b"[", b"{") and (parts := selectors(path)) is not None and len(path) > 1:
        choices, rest = parts
        if path[:1] == b"{":
            return _Sure.VALUE if not rest else _Sure.NOTHING, rest
        if rest[1:] == b"0":
            return _sure(choices[0][1], _Sure.VALUE), b""
        # Odd paths can cut a piece out of a string that is no JSON, and make an array that never
        # ends.
        clean = all(choice == b"@this" or _KEYS.fullmatch(choice) for _, choice in choices)
        return _Sure.ARRAY if clean or not rest else _Sure.NOTHING, rest
    return _Sure.NOTHING, b""


def warnings(text: str) -> tuple[str, ...]:
    """Why the text probably does not mean what was meant."""
    return tuple(warning for find in _CHECKS if (warning := find(text)) is not None)


def _empty(text: str) -> str | None:
    if text:
        return None
    return (
        'an empty path matches only an object with an empty key (""); '
        "for a default branch write `@this`"
    )


def _blanks(text: str) -> str | None:
    if text == text.strip():
        return None
    return f"the blanks around the path belong to a key; write `{text.strip()}`"


def _json_path(text: str) -> str | None:
    if not re.match(r"\$(?:[.\[]|$)", text):
        return None
    better = text.lstrip("$").lstrip(".")
    better = re.sub(r"\[(\d+)\]", r".\1", better).lstrip(".") or "@this"
    return f"`$` is the root in JSONPath; here it is a key named $; write `{better}`"


def _leading_dot(text: str) -> str | None:
    if text.startswith(".."):
        if re.match(r"\.\.(?:\d|#)", text):
            return None
        return (
            "`..` in front reads the body as JSON lines, it does not search at any depth; "
            "write the whole path, or `@dig:KEY|0`"
        )
    if not text.startswith("."):
        return None
    return f'the path begins with the empty key ""; write `{text.lstrip(".") or "@this"}`'


def _brackets(text: str) -> str | None:
    found = re.search(r"(?:^|\.)([^.|#\[\](){}@!\"\s]+)\[([^\]]*)\]", _outside_queries(text))
    if found is None:
        return None
    name, index = found[1], found[2]
    if index.isdigit():
        better = f"{name}.{index}"
    elif index in ("", "*"):
        better = f"{name}.#.KEY"
    else:
        better = f"{name}.#(KEY==VALUE)"
    return f"`{name}[{index}]` is the name of one key here; write `{better}`"


def _comparison(text: str) -> str | None:
    if text[:1] in "{[":
        return None
    found = re.search(r"==|!=|<=|>=|[<>=]", _outside_queries(text))
    if found is None:
        return None
    return (
        f"`{found[0]}` stands outside of a query and is part of a key's name; "
        f"write `[@this].#({text.strip()})`"
    )


def _logic(text: str) -> str | None:
    found = re.search(r"&&|\|\||(?<=\s)(?:and|or|AND|OR)(?=\s)", _without_strings(text))
    if found is None:
        return None
    return (
        f"GJSON has no `{found[0]}`: the rest of the query becomes the value to compare with; for "
        "`and` write two queries, `[@this].#(A)#|#(B)`, for `or` two branches, or use `jmespath:`"
    )


def _unbalanced(text: str) -> str | None:
    waiting: list[str] = []
    pairs = {")": "(", "]": "[", "}": "{"}
    plain = _without_strings(text)
    if '"' in plain.replace('""', ""):
        return 'a quote (") is not closed; the query then never ends and asks for an empty key'
    for char in plain:
        if char in "([{":
            waiting.append(char)
        elif char in pairs and (not waiting or waiting.pop() != pairs[char]):
            return f"`{char}` closes no bracket that is open; mend the brackets"
    if not waiting:
        return None
    return (
        f"`{waiting[-1]}` is never closed; the path then asks for an empty key; mend the brackets"
    )


def _all_matches(text: str) -> str | None:
    plain = _without_strings(text)
    if re.search(r"\)#(?:\.[^|]*)?$", plain):
        return (
            "a query that ends in `)#` gives a list, and an empty list exists too: it matches "
            "whenever the array is there; write `#(...)` without the last `#`"
        )
    if re.search(r"(?:^|[.|])#(?:\.[^|]*)?$", _outside_queries(text)) and not text.startswith(".."):
        return (
            "`#` gives a count or a list, and 0 and an empty list exist too: it matches whenever "
            "the array is there; for an element write `.0`, or `#(KEY)` for one that has a key"
        )
    return None


def _matches_everything(text: str) -> str | None:
    if text == "@this" or not always_matches(text):
        return None
    return (
        "the path exists in every JSON document, so this always matches; "
        "if that is meant write `@this`"
    )


def _unknown_modifier(text: str) -> str | None:
    for name in re.findall(r"(?:^|[.|])@([A-Za-z]\w*)", _outside_queries(text)):
        if name.encode() not in MODIFIERS:
            names = ", ".join(sorted(f"@{known.decode()}" for known in MODIFIERS))
            return (
                f"there is no modifier `@{name}`, so it is the name of a key; modifiers are {names}"
            )
    return None


def _null(text: str) -> str | None:
    found = re.search(r"(==?|!=)\s*(?:null|nil|None)\s*\)", text)
    if found is None:
        return None
    return (
        "null holds no comparison, and this compares with the text; write `==~null` for null or "
        "missing, `!=~null` for neither"
    )


def _capital_boolean(text: str) -> str | None:
    found = re.search(r"(==?|!=)\s*(True|False|TRUE|FALSE)\s*\)", text)
    if found is None:
        return None
    return f"`{found[2]}` is no boolean here; write `{found[1]}{found[2].lower()}`"


def _single_quotes(text: str) -> str | None:
    found = re.search(r"[=<>%]\s*'([^']*)'", text)
    if found is None:
        return None
    return f'the single quotes belong to the value; write "{found[1]}" in double quotes'


def _tilde(text: str) -> str | None:
    found = re.search(r"(?:[=<>%]|^)\s*~(\w*|\*|\"[^\"]*\"|/.*)\s*\)", text)
    if found is None or found[1] in ("true", "false", "null", "*"):
        return None
    return (
        "after `~` stand only true, false, null and *; there are no regular expressions; "
        'write a pattern, `#(KEY%"a*")`'
    )


def _negative_index(text: str) -> str | None:
    found = re.search(r"(?:^|[.|])-(\d+)(?:[.|]|$)", _outside_queries(text))
    if found is None:
        return None
    return f"there are no negative indexes; count from the end with `@reverse.{int(found[1]) - 1}`"


def _too_deep(text: str) -> str | None:
    if not nests_too_deep(text.encode("utf-8", "surrogatepass")):
        return None
    return (
        "the path holds too many `#`, brackets and `@dig` and never matches here; "
        "take it apart into several branches"
    )


def _without_strings(text: str) -> str:
    """Strings emptied and escapes gone."""
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', re.sub(r"\\[^\"]", "", text))


def _outside_queries(text: str) -> str:
    """Without strings and modifiers' arguments; what stands in parentheses is one NUL."""
    plain = re.sub(r"(@\w+):[^|]*", r"\1", _without_strings(text))
    before = None
    while before != plain:
        before, plain = plain, re.sub(r"\([^()]*\)?", "\0", plain)
    return plain


# In the order in which an author would look: what the text is not, then what it does.
_CHECKS: Final[tuple[Callable[[str], str | None], ...]] = (
    _empty,
    _blanks,
    _json_path,
    _leading_dot,
    _brackets,
    _unbalanced,
    _comparison,
    _logic,
    _all_matches,
    _matches_everything,
    _unknown_modifier,
    _null,
    _capital_boolean,
    _single_quotes,
    _tilde,
    _negative_index,
    _too_deep,
)
