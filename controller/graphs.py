"""What became of an InferenceGraph: Ready once the router serves it and every service that it
calls is Ready.

A graph has nothing to run of its own here, so reconciling it is telling: what the router says, what
the services say. It gets a key, looks everything up anew, and writes only what has changed.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from controller.conditions import FALSE, TRUE, Told, conditions, is_true
from controller.stopped import is_stopped
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.view import GRAPH, SERVICE
from graph.compiler import revision
from graph.spec import GraphSpec

STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class Served:
    """A graph at the router. `problem`: why the newest edit of it is not what is served.
    `everywhere`: every worker has all that was said last, of whatever graph.
    """

    url: str
    revision: str
    problem: str | None = None
    everywhere: bool = True


# What the router serves of a graph; a text if it serves nothing of it, and why.
AskRouter = Callable[[str], Served | str]


class Graphs:
    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        ask_router: AskRouter,
        clock: Callable[[], float],
        elsewhere: Collection[str] = (),
    ) -> None:
        """`elsewhere`: services by name or namespace/name that run, but are not kept here."""
        self._store = store
        self._recorder = recorder
        self._ask_router = ask_router
        self._clock = clock
        self._elsewhere = elsewhere

    def reconcile(self, key: str) -> None:
        namespace, _, name = key.partition("/")
        ref = Ref(GRAPH, namespace, name)
        live = self._store.find(ref)
        if live is None:
            return
        before: Json = live.get("status") or {}
        unready = {
            service: why
            for service in called(live)
            if (why := self._unready(Ref(SERVICE, namespace, service))) is not None
        }
        served = _as_it_is_written(live, self._ask_router(key))
        after = graph_status(live, served, unready, self._clock())
        if after == before:
            return
        self._store.replace_status(ref, after)
        if is_true(after) and not is_true(before):
            message = f"InferenceGraph {name} is ready"
            self._recorder.record(live, "InferenceGraphReady", message)
        elif is_true(before) and not is_true(after):
            why = next(c.get("message", "") for c in after["conditions"] if c["type"] == "Ready")
            message = f"InferenceGraph {name} is not ready: {why}"
            self._recorder.record(live, "InferenceGraphNotReady", message, warning=True)

    def _unready(self, ref: Ref) -> str | None:
        live = self._store.find(ref)
        if live is None:
            known = {ref.name, f"{ref.namespace}/{ref.name}"} & {*self._elsewhere}
            return None if known else "there is no such InferenceService"
        # An older revision may answer while the newest one is not ready.
        return None if is_true(live.get("status") or {}, "IngressReady") else "it is not ready"


def _as_it_is_written(live: Json, served: Served | str) -> Served | str:
    """The router may be a moment behind the store."""
    if isinstance(served, str) or served.problem is not None:
        return served
    if served.revision != revision(GraphSpec.model_validate(live["spec"])):
        return "the router has not loaded it yet"
    return served


def called(live: Json) -> Iterator[str]:
    """The services that its steps name, each once."""
    nodes = (live.get("spec") or {}).get("nodes") or {}
    steps = (step for node in nodes.values() for step in node.get("steps") or ())
    yield from dict.fromkeys(step["serviceName"] for step in steps if step.get("serviceName"))


def graph_status(live: Json, served: Served | str, unready: dict[str, str], now: float) -> Json:
    """Pure. Equal to the one before if nothing has changed."""
    before: Json = live.get("status") or {}
    generation = live["metadata"]["generation"]
    if is_stopped(live):
        told = [Told(STOPPED, TRUE, informative=True), Told("Ready", FALSE, STOPPED)]
        return {
            "observedGeneration": generation,
            "conditions": conditions(told, before, now),
        }
    ready = _ready(served, unready)
    if ready.status == TRUE and not (is_true(before) or _is_everywhere(served)):
        # Whoever reads Ready calls at once; one that is ready stays so while others are installed.
        ready = Told("Ready", FALSE, "NotServed", "the workers of the router are taking it")
    said: Json = {
        "observedGeneration": generation,
        "conditions": conditions([ready, Told(STOPPED, FALSE, informative=True)], before, now),
    }
    if isinstance(served, Served) and ready.status == TRUE:
        said["url"] = served.url
    return said


def _is_everywhere(served: Served | str) -> bool:
    return isinstance(served, Served) and served.everywhere


def _ready(served: Served | str, unready: dict[str, str]) -> Told:
    if isinstance(served, str):
        return Told("Ready", FALSE, "NotServed", served)
    if served.problem is not None:
        return Told("Ready", FALSE, "BadEdit", served.problem)
    if unready:
        message = "; ".join(f"{service}: {why}" for service, why in unready.items())
        return Told("Ready", FALSE, "ServiceNotReady", message)
    return Told("Ready", TRUE)
