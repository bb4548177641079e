"""Whether graphs are ready: whether all their targets are, asked when somebody wants to know.

Targets are asked side by side, each for at most LIMIT_S; what they say holds for REMEMBERED_S and
for everybody who asks meanwhile, so probes of many load balancers cost predictors no more than
those of one.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

from graph.effects import Answer, Call, Failure, Forward, Headers
from graph.plan import Target
from router.config import EndpointSource
from router.execute import Upstream
from router.probe import Probe, probes, unready

LIMIT_S = 2.0
REMEMBERED_S = 1.0
_ACCEPT: Headers = ((b"accept", b"application/json"),)
_GRPC: Headers = ((b"content-type", b"application/grpc"),)

Tell = Callable[[str], None]
"""Told once, at once or later: nothing, if ready, else who is not and why."""


class Asking(Upstream, Protocol):
    def reach(self, address: str, limit_s: float, tell: Tell) -> None:
        """Connect and no more; `tell` is called later, as for a call, with what went wrong."""


class Readiness:
    def __init__(self, upstream: Asking, now: Callable[[], float]) -> None:
        self._upstream = upstream
        self._now = now
        self._endpoints: dict[str, EndpointSource] = {}
        self._known: dict[str, _Verdict] = {}  # by target name

    def install(self, targets: Iterable[Target], endpoints: Mapping[str, EndpointSource]) -> None:
        """These are served from now on. What was known of a service may hold no longer."""
        self._endpoints = dict(endpoints)
        urls = {target.name for target in targets if target.url is not None}
        self._known = {name: known for name, known in self._known.items() if name in urls}

    def ask(self, targets: Iterable[Target], tell: Tell) -> None:
        """Whether all of them are ready."""
        wanted = list({target.name: target for target in targets}.values())
        gathered = _Gathered(len(wanted), tell)
        for target in wanted:
            self._ask(target, gathered.told)
        gathered.told("")

    def _ask(self, target: Target, tell: Tell) -> None:
        known = self._known.get(target.name)
        if known is None or known.until < self._now():
            known = self._known[target.name] = _Verdict()
            how = probes(target, self._endpoints)
            if isinstance(how, str):
                known.settle(how, self._now())
            else:
                answered = partial(known.answered, len(how), self._now)
                for each in how:
                    self._probe(each, answered)
        known.ask(tell)

    def _probe(self, probe: Probe, tell: Tell) -> None:
        if not probe.page:
            self._upstream.reach(probe.url, LIMIT_S, tell)
            return

        def answered(answer: Answer) -> None:
            tell(answer.cause if isinstance(answer, Failure) else unready(probe, answer))

        self._upstream.start(question(probe), answered)


def question(probe: Probe, page: str = "") -> Call:
    """Of our own to a server, for no graph: for its page of readiness, or another one."""
    grpc = probe.message is not None
    return Call(
        "router/health/probe/0",
        Target(probe.url, probe.url),
        _GRPC if grpc else _ACCEPT,
        probe.message or b"",
        LIMIT_S,
        forward=Forward(b"POST" if grpc else b"GET", (page or probe.page).encode()),
    )


class _Verdict:
    """What is known of one target, or those who wait to know it."""

    __slots__ = ("_waiting", "_why", "until")

    def __init__(self) -> None:
        self.until = float("inf")
        self._why: list[str] = []
        self._waiting: list[Tell] | None = []  # None once it is settled

    def ask(self, tell: Tell) -> None:
        if self._waiting is None:
            tell(self._why[0])
        else:
            self._waiting.append(tell)

    def answered(self, of: int, now: Callable[[], float], why: str) -> None:
        """By one of so many, of which one has to be ready."""
        if self._waiting is None:
            return
        self._why.append(why)
        if not why:
            self.settle("", now())
        elif len(self._why) == of:
            self.settle(why, now())

    def settle(self, why: str, now: float) -> None:
        waiting, self._waiting = self._waiting, None
        self._why = [why]
        self.until = now + REMEMBERED_S
        for tell in waiting or ():
            tell(why)


class _Gathered:
    """Until all targets have said something; the last one to say something is whoever asked."""

    __slots__ = ("_missing", "_tell", "_why")

    def __init__(self, targets: int, tell: Tell) -> None:
        self._missing = targets + 1
        self._tell = tell
        self._why: list[str] = []

    def told(self, why: str) -> None:
        self._missing -= 1
        if why:
            self._why.append(why)
        if not self._missing:
            self._tell("; ".join(self._why))
