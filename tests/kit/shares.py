"""Whether answers came in the shares that were asked for: Pearson's chi-square test."""

from collections.abc import Mapping

# Exceeded once in a million tests of right shares, by degrees of freedom: what a test that draws
# may fail by itself.
LIMITS = {1: 23.93, 2: 27.63, 3: 30.66}


def chi_square(counts: Mapping[str, int], percents: Mapping[str, int]) -> float:
    total = sum(counts.values())
    expected = {name: total * percent / 100 for name, percent in percents.items() if percent}
    return sum((counts.get(name, 0) - each) ** 2 / each for name, each in expected.items())


def assert_shares(counts: Mapping[str, int], percents: Mapping[str, int]) -> None:
    """Who has no share has no answer."""
    asked = {name for name, percent in percents.items() if percent}
    assert {name for name, count in counts.items() if count} <= asked, (dict(counts), percents)
    if len(asked) > 1:
        found = chi_square(counts, percents)
        assert found < LIMITS[len(asked) - 1], (dict(counts), percents, found)
