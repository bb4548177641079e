"""One InferenceService brought a step nearer to what it says; asked again until nothing is left.

Observe, desired, diff, apply, status. It gets a key, never an event: everything is looked up anew,
and reconciling a settled state writes nothing. All calls return at once, so that nothing can change
in the middle; whatever takes time reports by having the key added again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from controller.backend import Backend
from controller.conditions import FALSE, TRUE, condition
from controller.desired import World
from controller.diary import Diary
from controller.diff import Apply, End, diff
from controller.endpoints import Endpoint, Route, inner_key
from controller.observe import Observed, Running
from controller.pods import show
from controller.rollout.history import History
from controller.rollout.intent import STOPPED, Intent, Intents
from controller.rollout.revision import Revision
from controller.rollout.versions import Renderer
from controller.scale import Scale
from controller.scaling import shown
from controller.status import Seen, status
from controller.stopped import is_stopped
from controller.store.metadata import finalizers, is_going, with_finalizers
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.view import SERVICE, TRAINED_MODEL, View
from controller.workload import Role

FINALIZER = "inferenceservice.finalizers"  # KServe's


# None: the service is gone.
Publish = Callable[[str, Endpoint | None], None]


@dataclass(frozen=True, slots=True)
class Around:
    """What services are reconciled with. `publish` is told where callers find a service, `url` says
    where the router offers it; so many `revisions` are kept of each.
    """

    store: Store
    recorder: Recorder
    view: View
    backend: Backend
    world: World
    publish: Publish
    url: Callable[[str], str]
    clock: Callable[[], float]
    scale: Scale
    revisions: int


class Services:
    def __init__(self, around: Around) -> None:
        self._around = around
        self._store = around.store
        self._backend = around.backend
        self._diary = Diary(around.recorder)
        self._history = History(around.store)
        renderer = Renderer(self._history, around.view, around.world, around.scale)
        self._intents = Intents(renderer, around.backend, around.scale, around.url, around.clock)
        self._paths: dict[str, str] = {}  # of the last good specs
        self._held: set[str] = set()  # whose calls wait where nobody is
        # What of them only their transformers call: names of units, by the router's key.
        self._inner: dict[str, dict[str, str]] = {}

    def reconcile(self, key: str) -> float | None:
        """After how many seconds to look again, if nothing happens before."""
        namespace, _, name = key.partition("/")
        ref = Ref(SERVICE, namespace, name)
        live = self._store.find(ref)
        if live is None or is_going(live):
            self._remove(key, ref, live)
            return None
        if FINALIZER not in finalizers(live):
            held = [*finalizers(live), FINALIZER]
            live = self._store.edit(ref, lambda found: with_finalizers(found, held))
        intent = self._intents.of(key, live) if not is_stopped(live) else STOPPED
        if intent is STOPPED:
            self._intents.forget(key)
        self._carry_out(key, intent)
        observed = self._backend.observe(key)
        self._publish(key, intent, observed)
        show(self._store, live, observed)
        self._diary.note(key, live, observed)
        shown.show(self._store, self._around.recorder, live, self._around.scale.told(key))
        self._history.prune(live, intent.known, self._around.revisions, intent.rollout.named)
        self._tell(ref, live, intent, observed)
        return intent.again_s

    def _carry_out(self, key: str, intent: Intent) -> None:
        for change in diff(self._backend.observe(key), intent.units, kept=intent.kept):
            match change:
                case Apply(unit):
                    self._backend.apply(key, unit)
                case End(name):
                    self._backend.end(key, name)

    # Where callers find it

    def _publish(self, key: str, intent: Intent, observed: Observed) -> None:
        if intent.path is not None:
            self._paths[key] = intent.path
        if key not in self._paths:
            return
        self._publish_inner(key, intent, observed)
        routes = _routes(intent, observed)
        self._offer(key, Endpoint(self._paths[key], routes, intent.hold))

    def _publish_inner(self, key: str, intent: Intent, observed: Observed) -> None:
        before = self._inner.get(key, {})
        inner = {inner_key(key, name): name for name in intent.inner}
        # A transformer that ends may still have calls on their way to its predictor.
        inner |= {each: name for each, name in before.items() if name in observed}
        for gone in before.keys() - inner.keys():
            self._offer(gone, None)
        for each, name in inner.items():
            route = Route("", 100, _addresses(observed.get(name)))
            self._offer(each, Endpoint(self._paths[key], (route,), intent.hold))
        self._inner[key] = inner

    def _offer(self, key: str, endpoint: Endpoint | None) -> None:
        """Calls that wait for the first replica do so until it is there, also if by now the
        manifest says that it may not go.
        """
        if endpoint and key in self._held and endpoint.routes and not endpoint.addresses:
            endpoint = replace(endpoint, hold=True)
        if endpoint and endpoint.hold:
            self._held.add(key)
        else:
            self._held.discard(key)
        self._around.publish(key, endpoint)

    # What is told of it

    def _tell(self, ref: Ref, live: Json, intent: Intent, observed: Observed) -> None:
        before: Json = live.get("status") or {}
        created = intent.revisions.get(intent.rollout.created or "")
        seen = Seen(
            intent.latest,
            _by_role(created, observed) if created is not None else _roles(observed),
            live["metadata"]["generation"],
            before,
            self._around.clock(),
            rollout=intent.rollout,
            url=self._around.url(Ref.of(SERVICE, live).namespace + "/" + ref.name),
            answers=any(route.addresses for route in _routes(intent, observed)) or intent.waits,
            idle=intent.idle,
            canaries=intent.canaries,
        )
        after = status(seen)
        if after == before:
            return
        self._store.replace_status(ref, after)
        self._record(live, before, after)

    def _record(self, live: Json, before: Json, after: Json) -> None:
        name = live["metadata"]["name"]
        recorder = self._around.recorder
        failed = _failure(after)
        if failed and failed != _failure(before):
            recorder.record(live, failed["reason"], failed["message"], warning=True)
        was, now = condition(before), condition(after)
        if now == TRUE and was != TRUE:
            recorder.record(live, "InferenceServiceReady", f"InferenceService {name} is ready")
        elif was != FALSE and now == FALSE and before.get("conditions"):
            unready = [c["type"] for c in after["conditions"] if _is_amiss(c)]
            message = f"InferenceService {name} is not ready: {', '.join(unready)}"
            recorder.record(live, "InferenceServiceNotReady", message, warning=True)
        for message in _traffic_moved(before, after):
            recorder.record(live, "TrafficMoved", message)

    # Its end

    def _remove(self, key: str, ref: Ref, live: Json | None) -> None:
        """Drained, ended, and then let go of."""
        if key in self._paths:
            self._offer(key, Endpoint(self._paths[key]))
        self._carry_out(key, STOPPED)
        observed = self._backend.observe(key)
        self._publish_inner(key, STOPPED, observed)
        if live is not None:
            show(self._store, live, observed)
            self._diary.note(key, live, observed)
        if observed:
            return
        self._around.scale.forget(key)
        self._intents.forget(key)
        self._offer(key, None)
        self._inner.pop(key, None)
        self._paths.pop(key, None)
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


def _addresses(running: Running | None) -> tuple[str, ...]:
    return running.addresses if running is not None else ()


def _routes(intent: Intent, observed: Observed) -> tuple[Route, ...]:
    return tuple(
        Route(
            share.revision,
            share.percent,
            _entry_addresses(intent.revisions[share.revision], intent, observed),
            intent.paths.get(share.revision, ""),
        )
        for share in intent.rollout.given
        if share.revision in intent.revisions
    )


def _entry_addresses(revision: Revision, intent: Intent, observed: Observed) -> tuple[str, ...]:
    """Of whom callers talk to; nobody, while the predictor behind it is away."""
    predictor = revision.units[Role.PREDICTOR].name
    entry = revision.units.get(Role.TRANSFORMER, revision.units[Role.PREDICTOR]).name
    if predictor not in intent.inner and not _addresses(observed.get(predictor)):
        return ()
    return _addresses(observed.get(entry))


def _by_role(revision: Revision, observed: Observed) -> Mapping[Role, Running]:
    return {
        Role(role): observed[unit.name]
        for role, unit in revision.units.items()
        if unit.name in observed
    }


def _roles(observed: Observed) -> Mapping[Role, Running]:
    return {running.role: running for running in observed.values()}


def _is_amiss(condition: Json) -> bool:
    return condition["status"] == FALSE and condition["type"] not in ("Ready", "Stopped")


def _failure(said: Json) -> Json:
    info: Json = (said.get("modelStatus") or {}).get("lastFailureInfo") or {}
    return {key: info[key] for key in ("reason", "message") if key in info}


def _traffic_moved(before: Json, after: Json) -> list[str]:
    """In words, if shares are not what they were; the first ones are no news."""
    was, now = _traffic(before), _traffic(after)
    if not was or not now or was == now:
        return []
    return [f"calls go to {now}; so far to {was}"]


def _traffic(said: Json) -> str:
    predictor: Json = (said.get("components") or {}).get("predictor") or {}
    shares = predictor.get("traffic") or ()
    return ", ".join(f"{share['revisionName']} ({share['percent']} %)" for share in shares)
