"""Events: what happened to an object, for people; the same again raises a count.

Objects of kind Event like any other, so that they are listed and watched as such. Bounded: an hour,
and a number for each object that they are about; the oldest go first.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from hashlib import blake2b

from controller.store.own_kinds import EVENT
from controller.store.refs import DEFAULT_NAMESPACE, Json, Ref
from controller.store.store import Store

MAX_AGE = timedelta(hours=1)  # as long as a cluster keeps them
MAX_PER_OBJECT = 50
COMPONENT = "graphway"


class Recorder:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_seen: OrderedDict[Ref, datetime] = OrderedDict()  # the oldest first
        self._subject: dict[Ref, str] = {}  # the uid of what it is about
        self._about: dict[str, OrderedDict[Ref, None]] = {}
        for event in sorted(store.list(EVENT).items, key=lambda e: str(e.get("lastTimestamp"))):
            self._remember(event)

    def record(self, about: Json, reason: str, message: str, *, warning: bool = False) -> None:
        """`about` is the object, as it was got from the store."""
        involved = _reference(about)
        namespace = involved.get("namespace") or DEFAULT_NAMESPACE
        told = "Warning" if warning else "Normal"
        same = "\0".join((involved["uid"], told, reason, message))
        digest = blake2b(same.encode(), digest_size=8).hexdigest()
        name = involved["name"][:236].rstrip("-.")  # a part of a name may not end so
        ref = Ref(EVENT, namespace, f"{name}.{digest}")
        now = self._store.now()
        with self._store.transaction(flush=False):
            if self._store.find(ref) is not None:
                event = self._store.edit(ref, lambda old: _again(old, now))
            else:
                event = self._store.create(
                    EVENT,
                    {
                        "apiVersion": "v1",
                        "kind": "Event",
                        "metadata": {"name": ref.name, "namespace": namespace},
                        "involvedObject": involved,
                        "type": told,
                        "reason": reason,
                        "message": message,
                        "count": 1,
                        "firstTimestamp": now,
                        "lastTimestamp": now,
                        "source": {"component": COMPONENT},
                        "reportingComponent": COMPONENT,
                        "reportingInstance": "",
                    },
                )
            self._remember(event)
            self._forget()

    def _remember(self, event: Json) -> None:
        ref = Ref.of(EVENT, event)
        self._last_seen[ref] = datetime.fromisoformat(event["lastTimestamp"])
        self._last_seen.move_to_end(ref)
        uid = self._subject[ref] = event["involvedObject"].get("uid", "")
        about = self._about.setdefault(uid, OrderedDict())
        about[ref] = None
        about.move_to_end(ref)
        if len(about) > MAX_PER_OBJECT:
            self._drop(next(iter(about)))

    def _forget(self) -> None:
        oldest = self._store.clock() - MAX_AGE
        while self._last_seen and (ref := next(iter(self._last_seen))) is not None:
            if self._last_seen[ref] > oldest:
                return
            self._drop(ref)

    def _drop(self, ref: Ref) -> None:
        del self._last_seen[ref]
        uid = self._subject.pop(ref)
        del self._about[uid][ref]
        if not self._about[uid]:
            del self._about[uid]
        if self._store.find(ref) is not None:
            self._store.delete(ref)


def _reference(about: Json) -> Json:
    metadata = about["metadata"]
    keys = ("name", "namespace", "uid", "resourceVersion")
    return {"kind": about["kind"], "apiVersion": about["apiVersion"]} | {
        key: metadata[key] for key in keys if key in metadata
    }


def _again(event: Json, now: str) -> Json:
    return event | {"count": event.get("count", 1) + 1, "lastTimestamp": now}
