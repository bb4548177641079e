"""The parent's log: the same record for machines and for people."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from router.log import configure, fields


@pytest.fixture(autouse=True)
def root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_json_lines_hold_the_fields() -> None:
    stream = io.StringIO()
    configure("info", "json", stream)
    logging.getLogger("graphway.x").warning("worker %s", "died\n", extra=fields(pid=7, to="é"))
    (text,) = stream.getvalue().splitlines()
    line = json.loads(text)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "graphway.x",
        "message": "worker died\n",
        "pid": 7,
        "to": "é",
    }


def test_text_lines_are_for_people() -> None:
    stream = io.StringIO()
    configure("info", "text", stream)
    logging.getLogger("graphway.x").warning("worker died", extra=fields(pid=7))
    _, level, rest = stream.getvalue().split(maxsplit=2)
    assert (level, rest) == ("warning", "worker died pid=7\n")


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_exception_is_shown_and_lower_levels_are_not(form: str) -> None:
    stream = io.StringIO()
    configure("error", "json" if form == "json" else "text", stream)
    log = logging.getLogger("graphway.x")
    log.warning("unseen")
    try:
        raise KeyError("why")
    except KeyError:
        log.exception("seen")
    assert "unseen" not in stream.getvalue()
    assert "KeyError: 'why'" in stream.getvalue()
    if form == "json":
        assert len(stream.getvalue().splitlines()) == 1
