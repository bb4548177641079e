"""What each service was seen doing last, so that what happened since is recorded as events."""

from controller.happenings import happenings
from controller.observe import NOTHING, Observed
from controller.store.recorder import Recorder
from controller.store.refs import Json


class Diary:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._seen: dict[str, Observed] = {}

    def note(self, service: str, live: Json, observed: Observed) -> None:
        for each in happenings(self._seen.get(service, NOTHING), observed):
            self._recorder.record(live, each.reason, each.message, warning=each.warning)
        if observed:
            self._seen[service] = observed
        else:
            self._seen.pop(service, None)
