"""What becomes of one replica: events in, its next state and what is to be done out. Pure.

A replica lives again and again: a life prepares (GPUs, environment), starts, is probed, ends, and
is cleared away; then the next one begins at once, later, or never. Each life ends with `Gone`, and
only then may another begin, so that no two processes of a replica ever meet. The shell
(`controller.local.shell`) carries the actions out and reports what happened; time is a figure that
comes with each event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from types import MappingProxyType

from controller.local.backoff import Backoff
from controller.local.events import (
    Action,
    Answered,
    Apply,
    Begin,
    Cancel,
    Event,
    Exited,
    Gone,
    Kill,
    Kind,
    Lacking,
    Look,
    OverMemory,
    Preparing,
    Started,
    Stop,
    Terminate,
    Unsupported,
    Wake,
)
from controller.local.replica import End, Phase, ProcessSpec, ProcessState, Reason
from controller.local.tally import Tally, tally

GPU_RETRY_S = 10.0  # others than us may free a device, and nobody tells
PORT_TRIES = 5  # in a row; then it is a crash like any other


class Stage(Enum):
    RESTING = auto()  # no life; the next one at `wake_at`, if there is one
    PREPARING = auto()
    RUNNING = auto()
    ENDING = auto()  # told to end; killed at `wake_at`
    CLEARING = auto()  # its process has ended or never was; what else it left goes


@dataclass(frozen=True, slots=True)
class Lifecycle:
    backoff: Backoff
    spec: ProcessSpec
    state: ProcessState
    wanted: bool = True
    stage: Stage = Stage.RESTING
    wake_at: float | None = None  # of RESTING and ENDING
    started: float | None = None
    tallies: Mapping[Kind, Tally] = field(default_factory=lambda: MappingProxyType({}))
    ending: tuple[Reason, str] | None = None  # why we end it ourselves
    was_ready: bool = False  # in this life
    ends: int = 0  # in a row
    port_tries: int = 0  # in a row
    changed: bool = False  # the spec, since this life began

    @property
    def done(self) -> bool:
        """Nothing is left, and nothing is wanted."""
        return not self.wanted and self.stage is Stage.RESTING

    def next_at(self) -> float | None:
        """When to send a Wake."""
        match self.stage:
            case Stage.RESTING | Stage.ENDING:
                return self.wake_at
            case Stage.RUNNING:
                open_tallies = (t for t in self.tallies.values() if t.asked_at is None)
                return min((t.next_at for t in open_tallies), default=None)
        return None


Step = tuple[Lifecycle, list[Action]]


def new(spec: ProcessSpec, backoff: Backoff, now: float) -> Step:
    state = ProcessState(Phase.PENDING, now, Reason.PREPARING)
    return _begin(Lifecycle(backoff, spec, state), now)


def step(life: Lifecycle, event: Event, now: float) -> Step:
    match event:
        case Apply(spec):
            return _apply(life, spec, now)
        case Stop():
            return _stop(life, now)
        case Wake():
            return _wake(life, now)
        case Gone(taken):
            return _gone(life, taken, now)
        case Lacking(message) if life.stage is Stage.PREPARING:
            lacking = _tell(life, now, Phase.PENDING, Reason.INSUFFICIENT_GPU, message)
            return replace(lacking, stage=Stage.CLEARING, wake_at=now + GPU_RETRY_S), []
        case Unsupported(message) if life.stage is Stage.PREPARING:
            failed = _tell(life, now, Phase.FAILED, Reason.UNSUPPORTED, message)
            return replace(failed, stage=Stage.CLEARING, wake_at=None), []
        case Preparing(message) if life.stage is Stage.PREPARING:
            return _tell(life, now, Phase.PENDING, Reason.PREPARING, message), []
        case Started() if life.stage is Stage.PREPARING:
            return _started(life, event, now)
        case Answered() if life.stage is Stage.RUNNING and event.kind in life.tallies:
            return _answered(life, event, now)
        case OverMemory(used) if life.stage is Stage.RUNNING:
            limit = _mib(life.spec.memory_bytes or 0)
            message = f"its processes hold {_mib(used)}, and the limit is {limit}"
            return replace(life, ending=(Reason.OOM_KILLED, message)), [Kill()]
        case Exited() if life.stage in (Stage.PREPARING, Stage.RUNNING, Stage.ENDING):
            return _exited(life, event, now)
    return life, []  # of a life that ended meanwhile


def _begin(life: Lifecycle, now: float) -> Step:
    if life.state.phase is not Phase.PENDING:
        life = _tell(life, now, Phase.PENDING, Reason.PREPARING, "")
    fresh = replace(
        life,
        stage=Stage.PREPARING,
        wake_at=None,
        started=None,
        tallies=MappingProxyType({}),
        ending=None,
        was_ready=False,
        changed=False,
    )
    return fresh, [Begin(life.spec)]


def _apply(life: Lifecycle, spec: ProcessSpec, now: float) -> Step:
    if spec == life.spec and life.wanted:
        return life, []
    state = replace(life.state, restarts=0, last_end=None)
    life = replace(life, spec=spec, state=state, wanted=True, changed=True, ends=0, port_tries=0)
    if life.stage is Stage.RESTING:
        return _begin(life, now)
    return _end(life, Reason.REPLACED, "it is started anew, as its specification changed", now)


def _stop(life: Lifecycle, now: float) -> Step:
    if not life.wanted:
        return life, []
    life = replace(life, wanted=False)
    if life.stage is Stage.RESTING:
        return replace(_tell(life, now, Phase.STOPPED, Reason.STOPPED, ""), wake_at=None), []
    life = _tell(life, now, Phase.STOPPING, Reason.STOPPED, "")
    return _end(life, Reason.STOPPED, "it is no longer wanted", now)


def _end(
    life: Lifecycle, reason: Reason, message: str, now: float, grace_s: float | None = None
) -> Step:
    """Ends this life, by whatever it takes where it stands."""
    match life.stage:
        case Stage.PREPARING:
            return replace(life, stage=Stage.CLEARING, ending=(reason, message)), [Cancel()]
        case Stage.RUNNING:
            if life.state.phase is not Phase.STOPPING:
                life = _tell(life, now, Phase.NOT_READY, reason, message)
            ending = replace(
                life,
                stage=Stage.ENDING,
                ending=(reason, message),
                wake_at=now + (life.spec.grace_s if grace_s is None else grace_s),
            )
            return ending, [Terminate()]
    return life, []  # it ends already


def _wake(life: Lifecycle, now: float) -> Step:
    match life.stage:
        case Stage.RESTING if life.wanted and life.state.phase is not Phase.FAILED:
            if life.state.reason == Reason.INSUFFICIENT_GPU:
                return _begin(life, now)
            if life.wake_at is not None and now >= life.wake_at:
                return _begin(_restarted(life), now)
        case Stage.ENDING if life.wake_at is not None and now >= life.wake_at:
            return replace(life, wake_at=None), [Kill()]
        case Stage.RUNNING:
            due = [k for k, t in life.tallies.items() if t.asked_at is None and now >= t.next_at]
            asked = {kind: life.tallies[kind].asked(now) for kind in due}
            looks: list[Action] = [Look(kind, asked[kind].probe) for kind in due]
            return replace(life, tallies=MappingProxyType({**life.tallies, **asked})), looks
    return life, []


def _started(life: Lifecycle, event: Started, now: float) -> Step:
    life = replace(life, stage=Stage.RUNNING, started=now)
    state = replace(
        life.state, pid=event.pid, ports=MappingProxyType(dict(event.ports)), gpus=event.gpus
    )
    life = _tell(replace(life, state=state), now, Phase.STARTING)
    if life.spec.startup is None:
        return _passed_startup(life, now), []
    probing = tally(life.spec.startup, now, now, eager=True)
    return replace(life, tallies=MappingProxyType({Kind.STARTUP: probing})), []


def _passed_startup(life: Lifecycle, now: float) -> Lifecycle:
    """As with the kubelet, nothing else is asked before."""
    spec, started = life.spec, life.started if life.started is not None else now
    tallies: dict[Kind, Tally] = {}
    if spec.liveness is not None:
        tallies[Kind.LIVENESS] = tally(spec.liveness, started, now, eager=False)
    if spec.readiness is not None:
        tallies[Kind.READINESS] = tally(spec.readiness, started, now, eager=True)
    life = replace(life, tallies=MappingProxyType(tallies))
    return life if spec.readiness else _tell(life, now, Phase.READY)


def _answered(life: Lifecycle, event: Answered, now: float) -> Step:
    counted = life.tallies[event.kind].answered(event.good, now)
    life = replace(life, tallies=MappingProxyType({**life.tallies, event.kind: counted}))
    failed = f"its {event.kind.word} probe fails: {event.detail}"
    match event.kind, counted.verdict:
        case Kind.STARTUP, True:
            return _passed_startup(life, now), []
        case ((Kind.STARTUP | Kind.LIVENESS), False):
            return _end(life, Reason.UNHEALTHY, failed, now, counted.probe.grace_s)
        case Kind.READINESS, True if life.state.phase is not Phase.READY:
            return _tell(life, now, Phase.READY), []
        case Kind.READINESS, False if life.state.phase is Phase.READY:
            return _tell(life, now, Phase.NOT_READY, Reason.UNREADY, failed), []
    if life.state.phase is Phase.STARTING and not event.good:
        # Whoever waits may know why, without a change of phase.
        return _tell(life, now, Phase.STARTING, "", failed), []
    return life, []


def _exited(life: Lifecycle, event: Exited, now: float) -> Step:
    reason, message = life.ending or (_reason(event), event.message)
    end = End(
        reason=reason,
        message=message,
        exit_code=_exit_code(event.status),
        signal=event.signal,
        last_lines=event.last_lines,
        started=life.started,
        ended=now,
    )
    state = replace(life.state, last_end=end, pid=None, ports=MappingProxyType({}), gpus=())
    up_s = now - life.started if life.started is not None else 0.0
    life = replace(
        life,
        state=state,
        stage=Stage.CLEARING,
        wake_at=None,
        tallies=MappingProxyType({}),
    )
    if not life.wanted or life.changed:
        return life, []
    ends = life.backoff.ends(life.ends, up_s)
    pause_s = life.backoff.pause_s(ends)
    life = replace(life, ends=ends, wake_at=now + pause_s)
    if pause_s == 0:
        return _tell(life, now, Phase.BACKOFF, reason, f"{message}; it starts again"), []
    message = f"{message}; it starts again in {pause_s:.0f} s"
    return _tell(life, now, Phase.BACKOFF, Reason.CRASH_LOOP, message), []


def _reason(event: Exited) -> Reason:
    if event.oom:
        return Reason.OOM_KILLED
    if event.status is None:
        return Reason.CANNOT_START
    return Reason.COMPLETED if event.status == 0 else Reason.ERROR


def _exit_code(status: int | None) -> int | None:
    return status if status is None or status >= 0 else 128 - status


def _gone(life: Lifecycle, taken: tuple[int, ...], now: float) -> Step:
    life = replace(life, stage=Stage.RESTING)
    if not life.wanted:
        return replace(_tell(life, now, Phase.STOPPED, Reason.STOPPED), wake_at=None), []
    if life.changed:
        return _begin(life, now)
    ended_by_itself = life.state.phase is Phase.BACKOFF and life.ending is None
    if taken and ended_by_itself and not life.was_ready and life.port_tries < PORT_TRIES:
        # The loser of a race for a port has done nothing wrong: another port, at once.
        tries = replace(life, ends=life.ends - 1, port_tries=life.port_tries + 1)
        return _begin(_restarted(tries), now)
    return life, []


def _restarted(life: Lifecycle) -> Lifecycle:
    return replace(life, state=replace(life.state, restarts=life.state.restarts + 1))


def _tell(
    life: Lifecycle, now: float, phase: Phase, reason: str = "", message: str = ""
) -> Lifecycle:
    since = life.state.since if phase is life.state.phase else now
    state = replace(life.state, phase=phase, since=since, reason=reason, message=message)
    ready = phase is Phase.READY
    return replace(
        life,
        state=state,
        was_ready=life.was_ready or ready,
        port_tries=0 if ready else life.port_tries,
    )


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.0f} MiB"
