"""One process that answers for a service: its connections, and how many calls it works on."""

from collections.abc import Callable

from router.counters import Counters
from router.series import REPLICA_IN_FLIGHT
from router.upstream.origin import Origin
from router.upstream.way import Way


class Replica:
    """Shared by all revisions and services that have its address."""

    __slots__ = (
        "_make_pool", "_pool", "_slot", "_values", "origin", "outstanding", "refuses",
    )  # fmt: skip

    def __init__(
        self, origin: Origin, make_pool: Callable[[Origin], Way], counters: Counters
    ) -> None:
        self.origin = origin
        self.outstanding = 0
        self.refuses = False  # it did not accept a connection just now: others go first
        self._make_pool = make_pool
        self._pool: Way | None = None  # made at first use
        self._values = counters.values
        self._slot = counters.gauge(REPLICA_IN_FLIGHT, (("target", str(origin)),))

    @property
    def pool(self) -> Way:
        pool = self._pool
        if pool is None:
            pool = self._pool = self._make_pool(self.origin)
        return pool

    def begin(self) -> None:
        self.outstanding += 1
        self._values[self._slot] += 1  # for the parent, which waits for it to become 0

    def end(self) -> None:
        self.outstanding -= 1
        self._values[self._slot] -= 1


Tried = set[Replica]


class Round:
    """The replicas of one revision, and whose turn it is among equals."""

    __slots__ = ("_next", "replicas")

    def __init__(self) -> None:
        self.replicas: tuple[Replica, ...] = ()
        self._next = 0

    def choose(self, tried: Tried | None) -> Replica | None:
        """The one with the fewest calls outstanding, of those that accept connections and that this
        call has not tried; among equals they take turns.
        """
        replicas = self.replicas
        number = len(replicas)
        if number == 1 and tried is None:  # nearly always, so it should cost nearly nothing
            return None if replicas[0].refuses else replicas[0]
        best: Replica | None = None
        for turn in range(self._next, self._next + number):
            replica = replicas[turn % number]
            if replica.refuses or (tried is not None and replica in tried):
                continue
            if best is None or replica.outstanding < best.outstanding:
                best = replica
                self._next = (turn + 1) % number
                if not best.outstanding:
                    break
        return best

    def untried(self, tried: Tried | None) -> Replica | None:
        """One that refused another call a moment ago: better than to give up."""
        return next((each for each in self.replicas if not tried or each not in tried), None)
