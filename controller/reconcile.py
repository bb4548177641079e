"""One InferenceService brought a step nearer to what it says; asked again until nothing is left.

Observe, desired, diff, apply, status. It gets a key, never an event: everything is looked up anew,
and reconciling a settled state writes nothing. All calls return at once, so that nothing can change
in the middle; whatever takes time reports by having the key added again.
"""

from collections.abc import Callable
from dataclasses import replace

from controller.backend import Backend
from controller.conditions import is_true
from controller.desired import (
    INVALID,
    Refused,
    Wanted,
    World,
    desired,
)
from controller.diary import Diary
from controller.diff import Apply, End, diff
from controller.endpoints import Endpoint
from controller.observe import Observed
from controller.pods import show
from controller.status import Seen, status
from controller.stopped import is_stopped
from controller.store.metadata import finalizers, is_going, with_finalizers
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.view import SERVICE, View, kind
from controller.workload import Role

FINALIZER = "inferenceservice.finalizers"  # KServe's
TRAINED_MODEL = kind("TrainedModel")

# None: the service is gone.
Publish = Callable[[str, Endpoint | None], None]


class Services:
    """`publish` is told where graphs find a service."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        view: View,
        backend: Backend,
        world: World,
        publish: Publish,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._diary = Diary(recorder)
        self._view = view
        self._backend = backend
        self._world = world
        self._publish = publish
        self._clock = clock
        self._paths: dict[str, tuple[Role, str]] = {}  # entry and path of the last good spec

    def reconcile(self, key: str) -> None:
        namespace, _, name = key.partition("/")
        ref = Ref(SERVICE, namespace, name)
        live = self._store.find(ref)
        if live is None or is_going(live):
            self._remove(key, ref, live)
            return
        if FINALIZER not in finalizers(live):
            held = [*finalizers(live), FINALIZER]
            live = self._store.edit(ref, lambda found: with_finalizers(found, held))
        wanted = None if is_stopped(live) else self._wanted(key, live)
        self._carry_out(key, wanted)
        observed = self._backend.observe(key)
        self._publish(key, self._endpoint(key, wanted, observed))
        show(self._store, live, observed)
        self._diary.note(key, live, observed)
        self._tell(ref, live, wanted, observed)

    def _wanted(self, key: str, live: Json) -> Wanted | Refused:
        service = self._view.service(live)
        if isinstance(service, list):
            return Refused(INVALID, tuple(service))
        world = replace(self._world, runtimes=self._view.runtimes(), config=self._view.config())
        return desired(service, world, self._backend.host(key))

    def _carry_out(self, key: str, wanted: Wanted | Refused | None) -> None:
        if isinstance(wanted, Refused):
            return  # what runs already runs on
        units = wanted.units if wanted is not None else ()
        waiting = tuple(wanted.waiting) if wanted is not None else ()
        for change in diff(self._backend.observe(key), units, kept=waiting):
            match change:
                case Apply(unit):
                    self._backend.apply(key, unit)
                case End(role):
                    self._backend.end(key, role)

    def _endpoint(
        self, key: str, wanted: Wanted | Refused | None, observed: Observed
    ) -> Endpoint | None:
        if isinstance(wanted, Wanted):
            self._paths[key] = wanted.entry, wanted.path
        if key not in self._paths:
            return None
        entry, path = self._paths[key]
        if wanted is None or any(
            role not in observed or not observed[role].addresses for role in (Role.PREDICTOR, entry)
        ):
            return Endpoint((), path)
        return Endpoint(observed[entry].addresses, path)

    def _tell(
        self, ref: Ref, live: Json, wanted: Wanted | Refused | None, observed: Observed
    ) -> None:
        before: Json = live.get("status") or {}
        seen = Seen(wanted, observed, live["metadata"]["generation"], before, self._clock())
        after = status(seen)
        if after == before:
            return
        self._store.replace_status(ref, after)
        self._record(live, before, after)

    def _record(self, live: Json, before: Json, after: Json) -> None:
        name = live["metadata"]["name"]
        failed = _failure(after)
        if failed and failed != _failure(before):
            self._recorder.record(live, failed["reason"], failed["message"], warning=True)
        if is_true(after) and not is_true(before):
            message = f"InferenceService {name} is ready"
            self._recorder.record(live, "InferenceServiceReady", message)
        elif is_true(before) and not is_true(after):
            unready = [c["type"] for c in after["conditions"] if c["status"] != "True"]
            message = f"InferenceService {name} is not ready: {', '.join(unready)}"
            self._recorder.record(live, "InferenceServiceNotReady", message, warning=True)

    def _remove(self, key: str, ref: Ref, live: Json | None) -> None:
        """Drained, ended, and then let go of."""
        if key in self._paths:
            self._publish(key, Endpoint((), self._paths[key][1]))
        self._carry_out(key, None)
        observed = self._backend.observe(key)
        if live is not None:
            show(self._store, live, observed)
            self._diary.note(key, live, observed)
        if observed:
            return
        self._paths.pop(key, None)
        self._publish(key, None)
        if live is not None and FINALIZER in finalizers(live):
            self._remove_trained_models(ref)
            held = [name for name in finalizers(live) if name != FINALIZER]
            self._store.edit(ref, lambda found: with_finalizers(found, held))

    def _remove_trained_models(self, ref: Ref) -> None:
        def of_this(model: Json) -> bool:
            labels = model["metadata"].get("labels") or {}
            return labels.get("inferenceservice") == ref.name and not is_going(model)

        for model in self._store.list(TRAINED_MODEL, ref.namespace, of_this).items:
            self._store.delete(Ref.of(TRAINED_MODEL, model))


def _failure(said: Json) -> Json:
    info: Json = (said.get("modelStatus") or {}).get("lastFailureInfo") or {}
    return {key: info[key] for key in ("reason", "message") if key in info}
