"""What a Kubernetes quantity amounts to: 500m, 2Gi, 1e3."""

from decimal import Decimal

_BINARY = {
    unit: Decimal(1024) ** power
    for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "E": Decimal("1e18"),
}


def number(quantity: int | float | str) -> Decimal:
    """Of one that a model has accepted."""
    text = str(quantity)
    if text[-2:] in _BINARY:
        return Decimal(text[:-2]) * _BINARY[text[-2:]]
    if text[-1:] in _DECIMAL:
        return Decimal(text[:-1]) * _DECIMAL[text[-1:]]
    return Decimal(text)
