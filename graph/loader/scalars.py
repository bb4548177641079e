"""What a plain YAML scalar means: text, number, boolean or nothing, as kubectl reads it.

kubectl goes through Go's sigs.k8s.io/yaml, which speaks YAML 1.1 with exceptions of its own: `yes`,
`on` and `y` are booleans, `017` is octal, `1_000` and `1e5` are numbers, but a date and `12:30:45`
stay text. Python's own YAML loaders differ in each of these.
"""

import math
import re

Scalar = str | int | float | bool | None

_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_NULL = ("", "~", "null", "Null", "NULL")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(_NULL, None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(
    r"[-+]?(?:(?P<decimal>0|[1-9][0-9]*)|0[oO]?(?P<octal>[0-7]+)"
    r"|0[xX](?P<hexadecimal>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+))"
)
_BASES = {"decimal": 10, "octal": 8, "hexadecimal": 16, "binary": 2}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 400  # more digits overflow a float, and Python refuses integers of thousands


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted, untagged) scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        return _number(text)
    return text


def _number(text: str) -> Scalar:
    digits = text if text[0] == "." else text.replace("_", "")
    if len(digits) > _LONGEST_NUMBER:
        return text
    if match := _INTEGER.fullmatch(digits):
        kind = match.lastgroup or "decimal"
        value = int(match[kind], _BASES[kind])
        value = -value if digits[0] == "-" else value
        if -(2**63) <= value < 2**64:  # beyond, Go falls back to a float
            return value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return number if math.isfinite(number) else text
    return text
