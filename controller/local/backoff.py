"""How long a process that ended stays down. Pure; the kubelet's rule: the first restart comes at
once, then ever later, and a long enough life is forgiven what came before it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    first_s: float = 10.0
    longest_s: float = 300.0
    reset_s: float = 600.0  # up for so long: what happens next is no longer the same crash

    def pause_s(self, ends: int) -> float:
        """Until the next start, after so many ends in a row (1 or more)."""
        if ends <= 1:
            return 0.0
        return min(self.first_s * 2.0 ** min(ends - 2, 30), self.longest_s)

    def ends(self, before: int, up_s: float) -> int:
        """In a row, this one included."""
        return 1 if up_s >= self.reset_s else before + 1
