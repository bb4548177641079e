"""`grpc-timeout`: up to eight digits and a unit."""

import re

_TIMEOUT = re.compile(rb"(\d{1,8})([HMSmun])")
_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_MOST = 99_999_999


def read(value: bytes) -> float | None:
    """Seconds; None if it is no timeout."""
    match = _TIMEOUT.fullmatch(value)
    return None if match is None else int(match[1]) * _SECONDS[match[2]]


def write(seconds: float) -> bytes:
    """In milliseconds if they fit, never less than one: an honest server would refuse 0."""
    milliseconds = max(1, round(seconds * 1000))
    if milliseconds <= _MOST:
        return b"%dm" % milliseconds
    return b"%dS" % min(_MOST, round(seconds))


def coarse(seconds: float) -> float:
    """At most one hundredth longer. Clients count down what is left to them, so that hardly two
    timeouts are alike; who keeps time by lengths wants few of them.
    """
    return float(f"{max(seconds, 1e-3) * 1.005:.2e}")
