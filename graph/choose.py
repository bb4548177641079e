"""Weighted choice without randomness of its own: (seed, node) -> a point in [0, 1), (weights,
point) -> a step.

The point mixes the request's seed with a salt that is hashed from the node's path once, at compile
time. So two Splitters of one graph draw independently, and a new node elsewhere moves nobody's
draw.
"""

from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate

_MASK = (1 << 64) - 1


def salt(path: str) -> int:
    """64 bits that stand for a node, stable across processes and versions."""
    return int.from_bytes(blake2b(path.encode(), digest_size=8).digest(), "big")


def point(seed: int, node_salt: int) -> float:
    """The draw of this request at this node: uniform in [0, 1) with 53 bits (the finalizer of
    SplitMix64).
    """
    z = (seed ^ node_salt) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def cumulate(weights: list[int]) -> tuple[int, ...]:
    return tuple(accumulate(weights))


def choose(cumulative: tuple[int, ...], at: float) -> int:
    """The step whose share holds `at`; one of weight 0 never does. Needs a positive total."""
    return bisect_right(cumulative, at * cumulative[-1])
