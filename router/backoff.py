"""How long a dead worker's place stays empty, as pure functions.

No jitter: the places of one machine restart by themselves, there is no herd to scatter.
"""

FIRST_S = 0.1
LONGEST_S = 10.0
STABLE_S = 60.0  # up for so long: what happens next is no longer the same crash


def backoff(failures: int) -> float:
    """Seconds until the next start, after so many deaths in a row (1 or more)."""
    return float(min(FIRST_S * 2 ** min(failures - 1, 30), LONGEST_S))


def failures_after(failures: int, up_s: float) -> int:
    """Deaths in a row, this one included."""
    return 1 if up_s >= STABLE_S else failures + 1
