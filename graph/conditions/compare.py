"""The comparison of a GJSON query: what the value is decides how it is compared.

Strings compare by bytes, numbers as floats (a right side that is no number counts as 0), true and
false only with those words; null, arrays and objects hold no comparison. `~true`, `~false`, `~null`
and `~*` first turn the value into a boolean.
"""

import operator
from collections.abc import Callable
from typing import Any, Final

from graph.conditions.paths import Query
from graph.conditions.scan import Kind, kind, number, string_content

_ORDER: Final[dict[bytes, Callable[[Any, Any], bool]]] = {
    b"=": operator.eq,
    b"!=": operator.ne,
    b"<": operator.lt,
    b"<=": operator.le,
    b">": operator.gt,
    b">=": operator.ge,
}
_TRUE_WORDS: Final = frozenset((b"1", b"t", b"true"))
_FALSE_WORDS: Final = frozenset((b"0", b"f", b"false"))


def holds(query: Query, raw: bytes) -> bool:
    """Whether a value (empty: there is none) satisfies a query."""
    expected = query.value
    if expected[:1] == b"~":
        loose = _LOOSE.get(expected)
        if loose is None:
            return False
        raw = b"true" if loose(raw) else b"false"
        expected = b"true"
    if not raw:
        return False
    if not query.operator:
        return True
    found = kind(raw)
    if found is Kind.STRING:
        content = string_content(raw)
        if query.operator in (b"%", b"!%"):
            return query.glob.matches(content) is (query.operator == b"%")
        compare = _ORDER.get(query.operator)
        return compare is not None and compare(content, expected)
    if found is Kind.NUMBER:
        compare = _ORDER.get(query.operator)
        return compare is not None and compare(number(raw), query.number)
    if found is Kind.TRUE:
        return _holds_true(query.operator, expected)
    if found is Kind.FALSE:
        return _holds_false(query.operator, expected)
    return False


def _holds_true(op: bytes, expected: bytes) -> bool:
    match op:
        case b"=":
            return expected == b"true"
        case b"!=":
            return expected != b"true"
        case b">":
            return expected == b"false"
        case _:
            return op == b">="


def _holds_false(op: bytes, expected: bytes) -> bool:
    match op:
        case b"=":
            return expected == b"false"
        case b"!=":
            return expected != b"false"
        case b"<":
            return expected == b"true"
        case _:
            return op == b"<="


def truth(raw: bytes) -> bool:
    """What GJSON calls the boolean of a value: for strings, the words that Go's ParseBool knows."""
    found = kind(raw)
    if found is Kind.STRING:
        return string_content(raw).lower() in _TRUE_WORDS
    return found is Kind.TRUE or (found is Kind.NUMBER and number(raw) != 0)


def _false(raw: bytes) -> bool:
    found = kind(raw)
    if found is Kind.STRING:
        return string_content(raw).lower() in _FALSE_WORDS
    return found in (Kind.NULL, Kind.FALSE) or (found is Kind.NUMBER and number(raw) == 0)


def _null(raw: bytes) -> bool:
    return kind(raw) is Kind.NULL


_LOOSE: Final[dict[bytes, Callable[[bytes], bool]]] = {
    b"~*": bool,
    b"~null": _null,
    b"~true": truth,
    b"~false": _false,
}
