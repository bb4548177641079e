"""How long a service that ended stays down. Pure; the kubelet's rule in shorter times, as somebody
is watching.
"""

FIRST_S = 1.0
LONGEST_S = 60.0
STABLE_S = 60.0  # up for so long: what happens next is no longer the same crash


def pause(failures: int) -> float:
    """Seconds until the next start, after so many ends in a row (1 or more)."""
    return min(FIRST_S * 2.0 ** min(failures - 1, 30), LONGEST_S)


def failures_after(failures: int, up_s: float) -> int:
    """Ends in a row, this one included."""
    return 1 if up_s >= STABLE_S else failures + 1
