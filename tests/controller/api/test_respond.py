"""Answers whose headers every client takes."""

from controller.api.respond import MAX_WARNINGS, answer


def test_warnings_fit_into_headers() -> None:
    response = answer({}, warnings=['"' * 9_000, *map(str, range(100))])
    lines = response.headers.getall("Warning")
    assert len(lines) == MAX_WARNINGS
    assert max(map(len, lines)) < 8_190
    assert lines[0].startswith('299 - "\\"')
    assert lines[0].endswith('\\""')
