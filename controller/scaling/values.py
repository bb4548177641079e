"""Values of annotations and of a ConfigMap: text that people write, read one by one.

A reader takes text, and raises ValueError with what is wrong and how to mend it; `read_all` goes
through a whole mapping by a table of them, and returns every problem at once.
"""

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from graph.wording import shown

Reader = Callable[[str], Any]
Faults = dict[str, str]  # key -> what is wrong with its value

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_LONGEST = 32


def read_all(
    table: Mapping[str, tuple[str, Reader]], given: Mapping[str, str]
) -> tuple[dict[str, Any], Faults]:
    """`table`: key -> the name of what it sets, and how it is read. Only keys of the table."""
    values: dict[str, Any] = {}
    faults: Faults = {}
    for key, text in given.items():
        if key in table:
            name, read = table[key]
            try:
                values[name] = read(text)
            except ValueError as fault:
                faults[key] = str(fault)
    return values, faults


def seconds(least: float = 0.0, most: float = inf) -> Reader:
    """A duration as Go writes it: 30s, 1m30s, 1.5h."""

    def read(text: str) -> float:
        parts = _PART.findall(text) if len(text) <= _LONGEST else []
        if text != "0" and (not parts or "".join(map("".join, parts)) != text):
            raise ValueError(f"{shown(text)} is no duration; write one such as `30s` or `1m30s`")
        value = sum(float(count) * _UNITS[unit] for count, unit in parts)
        return _within(value, text, f"{least:g}s", f"{most:g}s", least, most)

    return read


def number(least: float, most: float = inf) -> Reader:
    def read(text: str) -> float:
        return _within(_float(text), text, f"{least:g}", f"{most:g}", least, most)

    return read


def whole(least: int, most: int = 2**31 - 1) -> Reader:
    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,10}", text):
            raise ValueError(f"{shown(text)} is no whole number; write one, {least} or more")
        return int(_within(int(text), text, str(least), str(most), least, most))

    return read


def percentage(least: float, most: float, *, or_fraction: bool = False) -> Reader:
    """As a fraction of one. `or_fraction`: up to 1, the text is meant as one already."""

    def read(text: str) -> float:
        value = _float(text)
        if or_fraction and 0 < value <= 1:
            return value
        return _within(value, text, f"{least:g}", f"{most:g}", least, most) / 100

    return read


def switch(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither `true` nor `false`; write one of them")
    return text.lower() == "true"


def one_of(*words: str) -> Reader:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{shown(text)} is not known here; write {' or '.join(words)}")
        return text

    return read


def _float(text: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]{1,12}(\.[0-9]{0,12})?|\.[0-9]{1,12})", text):
        raise ValueError(f"{shown(text)} is no number; write one")
    return float(text)


def _within(value: float, text: str, low: str, high: str, least: float, most: float) -> float:
    if value < least or value > most:
        range_ = f"{low} or more" if most in (inf, 2**31 - 1) else f"{low} to {high}"
        raise ValueError(f"{shown(text)} is out of range; write {range_}")
    return value
