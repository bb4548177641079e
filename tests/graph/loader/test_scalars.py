"""Plain scalars as kubectl reads them: the table of Go's sigs.k8s.io/yaml."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graph.loader.reader import Reader
from graph.loader.scalars import resolve

TABLE = [
    # booleans of YAML 1.1, single letters too
    *((word, True) for word in ("true", "True", "TRUE", "yes", "Yes", "on", "ON", "y", "Y")),
    *((word, False) for word in ("false", "no", "NO", "off", "Off", "n", "N")),
    *((word, word) for word in ("tRUE", "yEs", "oN", "yes!", "nope", "offset")),
    # nothing
    *((word, None) for word in ("", "~", "null", "Null", "NULL")),
    # integers, with the bases of Go
    ("0", 0),
    ("-12", -12),
    ("+7", 7),
    ("017", 15),
    ("0o17", 15),
    ("0x1F", 31),
    ("-0b11", -3),
    ("1_000", 1000),
    ("1_", 1),  # underscores are dropped wherever they stand
    ("18446744073709551615", 2**64 - 1),
    ("18446744073709551616", 2.0**64),  # Go falls back to a float
    # floats
    ("1.5", 1.5),
    ("1e5", 100000.0),
    (".5", 0.5),
    ("5.", 5.0),
    ("089", 89.0),  # no octal digit, so no integer
    ("-1.5E-3", -0.0015),
    (".inf", math.inf),
    ("-.Inf", -math.inf),
    # text that looks like more
    *((word, word) for word in ("1.2.3", "12:30:45", "2026-01-01", "1e999", "0x", "0b2", "-", ".")),
    *((word, word) for word in ("+", "_1", ".5_0", "٣", "1٣", "9" * 500, "=", "<", "a: b")),
]


@pytest.mark.parametrize(("text", "value"), TABLE, ids=[repr(text)[:20] for text, _ in TABLE])
def test_a_plain_scalar_means(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_one() -> None:
    found = resolve(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


@given(st.integers(min_value=-(2**63), max_value=2**64 - 1))
def test_integers_come_back(number: int) -> None:
    assert resolve(str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back(number: float) -> None:
    assert resolve(repr(number)) == number


@given(st.text())
def test_quoted_text_stays_text(text: str) -> None:
    source = yaml.dump({"a": text}, Dumper=yaml.CSafeDumper, default_style='"')
    [document] = Reader(source, "x").read()
    assert document.value == {"a": text}
