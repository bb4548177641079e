"""The corpus: messages as bytes, each with its verdict, in TOML files by category.

A case says what is sent either as `lines` (each ends with CRLF) and a `body` behind them, or as
`send`, or as `chunked`, the body of a well-formed chunked request. Text is latin-1, so that every
byte can be written; `«text*3»` stands for the text three times over.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CHUNKED = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

_REPEATED = re.compile("«([^«»]*)[*]([0-9]+)»")

EVERY_CUT_BYTES = 700  # beyond, cuts are samples
SAMPLES = 120

Case = dict[str, Any]


def cases(folder: str) -> list[Any]:
    """Every case of the folder as a pytest parameter, with the sentence that is its id."""
    return [
        pytest.param(case, id=f"{file.stem}: {case['id']}")
        for file in sorted((HERE / folder).glob("*.toml"))
        for case in tomllib.loads(file.read_text())["case"]
    ]


def written(text: str) -> bytes:
    """The bytes that the text of a case stands for; repetitions may nest."""
    while (spread := _REPEATED.sub(lambda m: m[1] * int(m[2]), text)) != text:
        text = spread
    return text.encode("latin-1")


def sent(case: Case) -> bytes:
    if "chunked" in case:
        return written(CHUNKED + case["chunked"])
    if "send" in case:
        parts = case["send"]
        return written(parts if isinstance(parts, str) else "".join(parts))
    return written("".join(line + "\r\n" for line in case["lines"]) + case.get("body", ""))


def portions(data: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """The ways to cut a message: whole, byte by byte, and in two at each point."""
    yield "whole", [data]
    yield "byte by byte", [data[i : i + 1] for i in range(len(data))]
    for cut in _cuts(len(data)):
        yield f"cut at {cut}", [data[:cut], data[cut:]]


def _cuts(size: int) -> list[int]:
    if size <= EVERY_CUT_BYTES:
        return list(range(1, size))
    step = size // SAMPLES
    return sorted({*range(1, 60), *range(60, size, step), *range(size - 60, size)})
