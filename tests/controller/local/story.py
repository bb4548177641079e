"""One replica's life as a story: what happens at which second, and what comes of it."""

from dataclasses import replace
from pathlib import Path

from controller.local import lifecycle
from controller.local.backoff import Backoff
from controller.local.events import Action, Answered, Event, Exited, Gone, Kind, Look, Started, Wake
from controller.local.replica import HttpGet, Probe, ProcessSpec, ProcessState

PROBE = Probe(HttpGet(8080, "/ready"))
SPEC = ProcessSpec(argv=("serve",), folder=Path("/work"))
PROBED = replace(SPEC, readiness=PROBE)

STARTED = Started(41, {8080: 20_001}, ("GPU-a",))
CRASH = Exited(3, "it ended with status 3: no model", None, ("loading", "no model"))
READY = Answered(Kind.READINESS, True)
UNREADY = Answered(Kind.READINESS, False, "/ready answers 503")
ALIVE = Answered(Kind.LIVENESS, True)
HUNG = Answered(Kind.LIVENESS, False, "no answer within 1 s")


class Story:
    def __init__(self, spec: ProcessSpec = SPEC, backoff: Backoff | None = None) -> None:
        self.now = 0.0
        self.told: list[Action] = []
        self.life, actions = lifecycle.new(spec, backoff or Backoff(), self.now)
        self.told += actions

    @property
    def state(self) -> ProcessState:
        return self.life.state

    def at(self, now: float, *events: Event) -> list[Action]:
        """What is to be done until then; the time between passes as the shell lets it pass."""
        self.told = []
        self.pass_until(now)
        for event in events:
            self._step(event)
        return self.told

    def pass_until(self, now: float) -> None:
        while (due := self.life.next_at()) is not None and due < now:
            self.now = max(due, self.now)
            before = self.life
            self._step(Wake())
            assert self.life != before, "a wake that changes nothing would come again at once"
        self.now = now

    def _step(self, event: Event) -> None:
        self.life, actions = lifecycle.step(self.life, event, self.now)
        self.told += actions

    def started(self, now: float = 0.0) -> "Story":
        self.at(now, STARTED)
        return self

    def ready(self, now: float = 0.0) -> "Story":
        self.started(now)
        self.asks(now)
        self.at(now, READY)
        return self

    def asks(self, now: float) -> list[Kind]:
        """The questions that are due by then; they are open afterwards."""
        actions = self.at(now, Wake())
        return [action.kind for action in actions if isinstance(action, Look)]

    def answers(self, now: float, answer: Answered) -> list[Action]:
        """What is to be done until then, if every question gets this answer."""
        others: list[Action] = []
        while (due := self.life.next_at()) is not None and due <= now:
            for action in self.at(max(due, self.now), Wake()):
                is_look = isinstance(action, Look)
                others += self.at(self.now, answer) if is_look else [action]
        return others

    def crashed(self, now: float) -> "Story":
        self.at(now, CRASH, Gone())
        return self

    def looping(self, now: float = 0.0) -> "Story":
        """It crashed twice, and pauses."""
        self.started(now).crashed(now)
        self.at(now, Wake())
        return self.started(now).crashed(now)
