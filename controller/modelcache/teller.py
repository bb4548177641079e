"""What was decided of the caches, written into the store: statuses, the node, events, finalizers.

Everything is written at once, and what is said already is not written again.
"""

from collections.abc import Mapping

from controller.modelcache import told
from controller.modelcache.decide import Decision, Verdict, Why
from controller.modelcache.known import CACHE, GROUP, NAMESPACE_CACHE, NODE, SERVICE, Known
from controller.modelcache.rules import User
from controller.resources.kinds import Kind
from controller.store.metadata import finalizers, with_finalizers
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store

FINALIZERS = {
    CACHE.name: "localmodel.kserve.io/finalizer",
    NAMESPACE_CACHE.name: "localmodelnamespacecache.kserve.io/finalizer",
}
_WARNINGS = (Why.FULL, Why.FAILED, Why.WRONG)

Users = Mapping[str, tuple[User, ...]]  # by cache


class Teller:
    def __init__(self, store: Store, node: str) -> None:
        self._store = store
        self._node = node
        self._recorder = Recorder(store)

    def tell(self, caches: Known, users: Users, decision: Decision, now: float) -> None:
        with self._store.transaction(flush=False):
            for name, live in caches.live.items():
                if name not in caches.going:
                    verdict = decision.verdicts.get(name)
                    self._cache(name, live, users.get(name, ()), verdict, now)
            for name in caches.groups:
                ref = Ref(GROUP, "", name)
                if self._store.find(ref) is not None:
                    self._store.replace_status(ref, told.group_status(decision.rooms.get(name)))
            self._tell_node(caches, decision)

    def evicted(self, live: Json) -> None:
        self._recorder.record(live, "ModelEvicted", "its model made room for others")

    def let_go(self, live: Json) -> None:
        """Of a cache that is deleted."""
        ref, finalizer = _ref(live), FINALIZERS[live["kind"]]
        if self._store.find(ref) is not None:
            self._store.edit(ref, lambda found: _without(found, finalizer))

    def _cache(
        self, name: str, live: Json, users: tuple[User, ...], verdict: Verdict | None, now: float
    ) -> None:
        ref, finalizer = _ref(live), FINALIZERS[live["kind"]]
        if self._store.find(ref) is None:
            return  # gone while others were fetched or evicted
        if finalizer not in finalizers(live):
            live = self._store.edit(ref, lambda found: _with(found, finalizer))
        before: Json = live.get("status") or {}
        after = told.cache_status(before, verdict, users, self._node, now)
        if after == before:
            return
        self._store.replace_status(ref, after)
        if verdict is not None and told.reason(before) != told.reason(after):
            bad = verdict.why in _WARNINGS
            self._recorder.record(live, f"Model{verdict.why}", verdict.message, warning=bad)
        known = {(user["namespace"], user["name"]) for user in before.get("inferenceServices", ())}
        for user in users:
            service = self._store.find(Ref(SERVICE, user.namespace, user.name))
            if service is not None and (user.namespace, user.name) not in known:
                message = f"its model is kept by {live['kind']} {name}"
                self._recorder.record(service, "ModelCacheBound", message)

    def _tell_node(self, caches: Known, decision: Decision) -> None:
        ref = Ref(NODE, "", self._node)
        live = self._store.find(ref)
        if not caches.live and not caches.groups:
            if live is not None and live["metadata"].get("labels") == told.MANAGED:
                self._store.delete(ref)
            return
        placed = [*caches.placed.values()]
        spec = told.node_spec(placed)
        if live is None:
            head = {"apiVersion": NODE.api_version, "kind": NODE.name}
            metadata = {"name": self._node, "labels": told.MANAGED}
            self._store.create(NODE, head | {"metadata": metadata, "spec": spec})
        else:
            self._store.edit(ref, lambda found: found | {"spec": spec})
        self._store.replace_status(ref, told.node_status(placed, decision.verdicts))


def _with(live: Json, finalizer: str) -> Json:
    return with_finalizers(live, [*finalizers(live), finalizer])


def _without(live: Json, finalizer: str) -> Json:
    return with_finalizers(live, [name for name in finalizers(live) if name != finalizer])


def _ref(live: Json) -> Ref:
    return Ref.of(_KINDS[live["kind"]], live)


_KINDS: Mapping[str, Kind] = {each.name: each for each in (CACHE, NAMESPACE_CACHE)}
