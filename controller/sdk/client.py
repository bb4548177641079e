"""`Client`: a running graphway from Python, with resources as typed objects.

It finds the graphway as the command line does. Each call is a request of its own, so threads may
share a client. Refusals are `ApiError`s, `Unreachable` is everything that is no answer.
"""

import builtins
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from controller.client.api import Api, Json, Selection, ServedKind
from controller.client.connection import Answer
from controller.client.find import find
from controller.client.origin import Unreachable
from controller.resources.model import dump
from controller.resources.resource import DEFAULT_NAMESPACE, Resource
from controller.sdk.predict import path_of, post
from controller.sdk.readiness import NotReady, is_hopeless, is_ready, why_not
from controller.store.errors import ApiError

R = TypeVar("R", bound=Resource)

READY_S = 600.0
GONE_S = 120.0
PREDICT_S = 60.0
_LOOK_AGAIN_S = 10.0  # a watch that says nothing is asked anew

_log = logging.getLogger("graphway.client")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a resource."""

    type: str  # Normal or Warning
    reason: str
    message: str
    count: int
    last_seen: str


class Client:
    def __init__(self, server: str | None = None, *, token: str | None = None) -> None:
        """`server` is a URL of an admin port; else the only graphway of this machine is meant.

        Raises NoServer.
        """
        self._api = Api(find(server, token))

    @overload
    def apply(self, resource: R, *, dry_run: bool = False) -> R: ...
    @overload
    def apply(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Json: ...

    def apply(self, resource: R | Mapping[str, Any], *, dry_run: bool = False) -> R | Json:
        """Create it, or change it to this; what an earlier apply said and this one not, goes.

        Returns it as the server keeps it. A manifest as plain data gives plain data.
        """
        said = dump(resource) if isinstance(resource, Resource) else dict(resource)
        kind = self._kind(str(said.get("apiVersion")), str(said.get("kind")))
        metadata = said.get("metadata") or {}
        namespace, name = metadata.get("namespace"), str(metadata.get("name", ""))
        answer = self._api.apply(kind, namespace or DEFAULT_NAMESPACE, name, said, dry_run=dry_run)
        _warn(answer)
        return (
            _typed(type(resource), answer.body) if isinstance(resource, Resource) else answer.body
        )

    def get(self, kind: type[R], name: str, namespace: str = DEFAULT_NAMESPACE) -> R:
        return _typed(kind, self._api.get(self._kind_of(kind), namespace, name))

    def list(
        self, kind: type[R], namespace: str | None = None, labels: str = ""
    ) -> builtins.list[R]:
        """Of all namespaces unless one is given."""
        found = self._api.objects(self._kind_of(kind), Selection(namespace, labels))
        return [_typed(kind, item) for item in found]

    def delete(self, resource: Resource, *, timeout_s: float | None = GONE_S) -> None:
        """Returns when it is gone, and what ran for it with it; None: does not wait.

        Raises TimeoutError.
        """
        kind, at = self._at(resource)
        uid = self._api.get(kind, *at)["metadata"]["uid"]
        self._api.delete(kind, *at)
        if timeout_s is None:
            return
        for now in self._states(kind, *at, timeout_s=timeout_s):
            if now is None or now["metadata"]["uid"] != uid:
                return
        raise TimeoutError(f"{resource.kind} {resource.name} is still there after {timeout_s} s")

    def wait_ready(self, resource: R, timeout_s: float = READY_S) -> R:
        """It as it is once all that it needs is there.

        Raises NotReady, with why: after that time, when it is deleted, or when only another
        manifest can help.
        """
        kind, at = self._at(resource)
        last: Json = dump(resource)
        for now in self._states(kind, *at, timeout_s=timeout_s):
            if now is None:
                raise NotReady(f"{resource.kind} {resource.name} is not there", last)
            last = now
            if is_ready(now):
                return _typed(type(resource), now)
            if is_hopeless(now):
                break
        raise NotReady(why_not(last), last)

    def events(self, resource: Resource) -> builtins.list[Event]:
        """What happened to it lately, the latest last."""
        kind, at = self._at(resource)
        about = self._api.events_of(self._api.get(kind, *at))
        found = self._api.list(self._kind("v1", "Event"), about)["items"]
        events = [
            Event(
                event.get("type", ""),
                event.get("reason", ""),
                event.get("message", ""),
                event.get("count", 1),
                event.get("lastTimestamp") or "",
            )
            for event in found
        ]
        return sorted(events, key=lambda event: event.last_seen)

    def predict(self, resource: Resource, body: Any, timeout_s: float = PREDICT_S) -> Any:
        """The answer of a graph or a service to a body, both plain JSON values.

        A service is asked by the protocol of the body: `instances` is V1, `inputs` is V2.
        """
        kind, at = self._at(resource)
        now = self._api.get(kind, *at)
        path = path_of(now, body)
        url = (now.get("status") or {}).get("url")
        if not url:
            raise NotReady(why_not(now), now)
        return post(url, path, body, timeout_s)

    def _kind(self, api_version: str, name: str) -> ServedKind:
        kind = self._api.kind_of(api_version, name)
        if kind is None:
            raise ApiError(404, "NotFound", f"{self._api.url} keeps no {name} ({api_version})")
        return kind

    def _kind_of(self, model: type[Resource]) -> ServedKind:
        fields = model.model_fields
        return self._kind(fields["api_version"].default, fields["kind"].default)

    def _at(self, resource: Resource) -> tuple[ServedKind, tuple[str, str]]:
        kind = self._kind(resource.api_version, resource.kind)
        return kind, (resource.namespace, resource.name)

    def _states(
        self, kind: ServedKind, namespace: str, name: str, *, timeout_s: float
    ) -> Iterator[Json | None]:
        """The object now and after each change, None once it is not there; ends at the time."""
        ends = time.monotonic() + timeout_s
        where = Selection(namespace if kind.namespaced else None, fields=f"metadata.name={name}")
        while True:
            found = self._api.list(kind, where)
            items = found["items"]
            yield {"apiVersion": kind.api_version, "kind": kind.name} | items[0] if items else None
            left_s = ends - time.monotonic()
            if left_s <= 0:
                return
            version, look_s = found["metadata"]["resourceVersion"], min(left_s, _LOOK_AGAIN_S)
            # A stream that breaks, or that was too slow, is followed by a look at what is.
            with (
                suppress(Unreachable),
                self._api.watch_once(kind, where, version, timeout_s=look_s) as events,
            ):
                for event in events:
                    if event["type"] == "ERROR":
                        break
                    if event["type"] != "BOOKMARK":
                        yield None if event["type"] == "DELETED" else event["object"]


def _typed(kind: type[R], data: Json) -> R:
    """Fields that a later server may say are passed over."""
    return kind.model_validate(data, by_alias=True, by_name=False, extra="ignore")


def _warn(answer: Answer) -> None:
    for warning in answer.warnings:
        _log.warning("%s", warning)
