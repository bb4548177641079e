"""What processes do, in the words of whoever watches at a terminal: one line of progress each.

The first replica of a predictor goes by the name of its service, from the second revision on with
the revision's number; others say what they are.
"""

import re

from controller.local.home import Home
from controller.local.progress import Phase, ProgressSink
from controller.local.replica import Phase as State
from controller.local.replica import ProcessState

_PHASES = {
    State.PENDING: Phase.PREPARING,
    State.STARTING: Phase.STARTING,
    State.READY: Phase.READY,
    State.NOT_READY: Phase.UNREADY,
    State.BACKOFF: Phase.CRASHED,
    State.FAILED: Phase.CRASHED,
    State.STOPPED: Phase.STOPPED,
}


_FIRST = re.compile(r"predictor-([0-9]+)-0")


class Shown:
    """`on_state` and `on_output` are for the backend, `on_loading` for who fetches models."""

    def __init__(self, progress: ProgressSink, home: Home) -> None:
        self._progress = progress
        self._home = home
        self._started: dict[str, float] = {}

    def on_state(self, key: str, state: ProcessState) -> None:
        if state.phase in _PHASES:
            self._progress.phase(shown(key), _PHASES[state.phase], self._detail(key, state))

    def on_output(self, key: str, line: str) -> None:
        self._progress.output(shown(key), line)

    def on_loading(self, service: str, done_bytes: int, total_bytes: int | None) -> None:
        self._progress.loading(service, done_bytes, total_bytes)

    def on_failed(self, service: str, detail: str) -> None:
        self._progress.phase(service, Phase.CRASHED, detail)

    def _detail(self, key: str, state: ProcessState) -> str:
        match state.phase:
            case State.STARTING:
                self._started[key] = state.since
                return state.message
            case State.READY:
                took_s = state.since - self._started.get(key, state.since)
                ports = list(state.ports.values())
                where = f"http://127.0.0.1:{ports[0]} " if ports else ""
                return f"{where}after {took_s:.1f} s"
            case State.BACKOFF | State.FAILED:
                return f"{state.message} (see {self._home.log(key)})"
        return state.message


def shown(key: str) -> str:
    service, _, replica = key.rpartition("/")
    first = _FIRST.fullmatch(replica)
    if first is None:
        return f"{service}-{replica}"
    return service if int(first[1]) == 1 else f"{service}-{first[1]}"
