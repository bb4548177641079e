"""Kubernetes' notation of amounts."""

from decimal import Decimal

import pytest

from controller.local.quantities import amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (1, "1"),
        (0.5, "0.5"),
        ("500m", "0.5"),
        ("2Gi", 2 * 2**30),
        ("1.5Ki", 1536),
        ("1k", 1000),
        ("3M", 3_000_000),
        ("1e3", 1000),
        ("1E3", 1000),
        ("2E", 2 * 10**18),
        ("10u", "0.00001"),
        ("7n", "0.000000007"),
        ("+4", 4),
        (".5", "0.5"),
    ],
)
def test_amounts(text: float | str, value: int | str) -> None:
    assert amount(text) == Decimal(value)
