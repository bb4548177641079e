"""A scaled revision on virtual time: the test sets the load, and replicas take a while to start."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from controller.scaling.policy import Policy
from controller.scaling.resources import Use
from controller.scaling.scaler import Key, Scaler

SERVICE, REVISION = KEY = ("default/iris", "iris-00001")
STEP_S = 0.5


@dataclass(slots=True)
class Told:
    in_flight: int = 0
    held: int = 0
    requests: int = 0


@dataclass(slots=True)
class Simulation:
    """`concurrency` calls are there all the time; without a replica they are held."""

    policy: Policy
    start_s: float = 2.0
    resumed: int | None = None
    concurrency: int = 0
    rps: int = 0
    cores: float = 0.0  # used by all replicas together
    asked: int = 0  # how often for loads
    changes: list[str] = field(default_factory=list)
    history: list[tuple[float, int]] = field(default_factory=list)  # of the replicas wanted
    _since: list[float] = field(default_factory=list)  # when each replica was started
    scaler: Scaler = field(init=False)

    def __post_init__(self) -> None:
        self.scaler = Scaler(
            self._loads,
            self.changes.append,
            clock=self.now,
            usage=self._usage,
            resumed=lambda _owner, _key: self.resumed,
        )

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def ready(self) -> int:
        return sum(started <= self.now() - self.start_s for started in self._since)

    def wanted(self) -> int:
        """Asked for, and started or ended at once."""
        wanted = self.scaler.replicas(SERVICE, REVISION, self.policy, ready=self.ready)
        self._since = [*self._since, *[self.now()] * wanted][:wanted]
        if not self.history or self.history[-1][1] != wanted:
            self.history.append((self.now(), wanted))
        return wanted

    async def until(self, replicas: int, limit_s: float) -> float:
        """How long it took."""
        begun = self.now()
        while self.wanted() != replicas:
            waited = self.now() - begun
            assert waited <= limit_s, f"{self.wanted()} after {waited} s: {self.decision}"
            await asyncio.sleep(STEP_S)
        return self.now() - begun

    async def during(self, seconds: float) -> set[int]:
        """Every number that it had."""
        end, seen = self.now() + seconds, set()
        while self.now() < end:
            seen.add(self.wanted())
            await asyncio.sleep(STEP_S)
        return seen

    @property
    def decision(self) -> object:
        return self.scaler.decisions(SERVICE).get(KEY)

    def _loads(self) -> Mapping[Key, Told]:
        self.asked += 1
        calls, ready = self.concurrency, self.ready
        requests = int(self.rps * self.now())
        return {KEY: Told(calls if ready else 0, 0 if ready else calls, requests)}

    async def _usage(self, keys: Collection[Key]) -> Mapping[Key, Sequence[Use]]:
        ready = self.ready
        return {key: [Use(self.cores / ready, 0.0)] * ready for key in keys}


@asynccontextmanager
async def simulated(simulation: Simulation) -> AsyncIterator[Simulation]:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(simulation.scaler.run())
        simulation.wanted()
        yield simulation
        running.cancel()
