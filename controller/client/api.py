"""The resource API as calls: kinds as the server tells them, objects as plain JSON.

Which kinds there are is asked, not known: so this needs none of the models, and shows whatever the
server keeps. Answers are what the server said; nothing is printed or decided here.
"""

import builtins
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from controller.client.connection import Answer, Connection
from controller.store.errors import ApiError

Json = dict[str, Any]

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MANAGER = "graphway"
ALL = "all"
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"
_OPERATIONS = "application/json-patch+json"
_EXPIRED = 410
_STATE = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_PAUSE_S = 1.0
_SILENCE_S = 150.0  # the server gives a sign of life every minute


@dataclass(frozen=True, slots=True)
class ServedKind:
    name: str
    group: str
    version: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full_name(self) -> str:
        """Before the name of an object, as kubectl says it: `inferenceservice.serving.kserve.io`"""
        return f"{self.singular}.{self.group}" if self.group else self.singular

    @property
    def words(self) -> tuple[str, ...]:
        return (self.plural, self.singular, *self.short_names)

    def path(self, namespace: str | None, name: str | None = None) -> str:
        path = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if self.namespaced and namespace is not None:
            path += f"/namespaces/{quote(namespace, safe='')}"
        path += f"/{self.plural}"
        return path if name is None else f"{path}/{quote(name, safe='')}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind; all that there are unless something is said."""

    namespace: str | None = None
    labels: str = ""
    fields: str = ""

    @property
    def query(self) -> dict[str, str]:
        said = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {key: value for key, value in said.items() if value}


class Api:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def url(self) -> str:
        return self.connection.url

    @cached_property
    def kinds(self) -> tuple[ServedKind, ...]:
        """In the order of the server, what it is there for first and what is Kubernetes' last."""
        found: list[ServedKind] = []
        for path in ("/apis", "/api"):
            for group in self.connection.ask("GET", path, accept=_DISCOVERY).body["items"]:
                found += _kinds(group)
        return tuple(found)

    def kind(self, word: str) -> ServedKind | None:
        """By kind, plural, singular or short name, with the group or without."""
        name, _, group = word.lower().partition(".")
        for kind in self.kinds:
            groups = ("", kind.group, f"{kind.version}.{kind.group}")
            if name in kind.words and group in groups:
                return kind
        return None

    def kind_of(self, api_version: str, name: str) -> ServedKind | None:
        for kind in self.kinds:
            if (kind.api_version, kind.name) == (api_version, name):
                return kind
        return None

    def get(self, kind: ServedKind, namespace: str, name: str, *, table: bool = False) -> Json:
        accept = TABLE if table else "application/json"
        query = {"includeObject": "Object"} if table else None
        return self._one("GET", kind.path(namespace, name), query, accept=accept).body  # type: ignore[no-any-return]

    def list(self, kind: ServedKind, selection: Selection, *, table: bool = False) -> Json:
        accept = TABLE if table else "application/json"
        query = selection.query | ({"includeObject": "Object"} if table else {})
        return self._one("GET", kind.path(selection.namespace), query, accept=accept).body  # type: ignore[no-any-return]

    def objects(self, kind: ServedKind, selection: Selection) -> builtins.list[Json]:
        """Each saying what it is: the items of a list leave that to its head."""
        head = {"apiVersion": kind.api_version, "kind": kind.name}
        return [head | item for item in self.list(kind, selection)["items"]]

    def apply(
        self, kind: ServedKind, namespace: str, name: str, resource: Json, *, dry_run: bool = False
    ) -> Answer:
        """Status 201 for what was not there before.

        What only says which state the object was once read in is not sent.
        """
        wanted = {key: value for key, value in resource.items() if key != "status"}
        metadata = resource.get("metadata") or {}
        wanted["metadata"] = {k: v for k, v in metadata.items() if k not in _STATE}
        query = {"fieldManager": MANAGER, "force": "true"} | _dry(dry_run)
        return self._one("PATCH", kind.path(namespace, name), query, wanted, media=_APPLY)

    def merge(self, kind: ServedKind, namespace: str, name: str, patch: Json) -> Json:
        query = {"fieldManager": MANAGER}
        return self._one("PATCH", kind.path(namespace, name), query, patch, media=_MERGE).body  # type: ignore[no-any-return]

    def edit(
        self,
        kind: ServedKind,
        namespace: str,
        name: str,
        operations: builtins.list[Json],
        *,
        dry_run: bool = False,
    ) -> Json:
        """By a JSON patch: a `test` in it that fails is a refusal, and then nothing is changed."""
        query = {"fieldManager": MANAGER} | _dry(dry_run)
        path = kind.path(namespace, name)
        return self._one("PATCH", path, query, operations, media=_OPERATIONS).body  # type: ignore[no-any-return]

    def delete(self, kind: ServedKind, namespace: str, name: str, *, dry_run: bool = False) -> None:
        self._one("DELETE", kind.path(namespace, name), _dry(dry_run))

    def watch(
        self,
        kind: ServedKind,
        selection: Selection,
        version: str | None = None,
        *,
        table: bool = False,
    ) -> Iterator[Json]:
        """Events from `version` on, or from all that is there; never ends by itself.

        Who fell behind too far gets everything again, as ADDED.
        """
        while True:
            try:
                with self.watch_once(kind, selection, version, table=table) as events:
                    for event in events:
                        if event["type"] == "ERROR":
                            raise ApiError(event["object"].get("code", 500), "", "")
                        version = event["object"]["metadata"]["resourceVersion"]
                        if event["type"] != "BOOKMARK":
                            yield event
            except ApiError as refused:
                if refused.code != _EXPIRED or version is None:
                    raise
                version = None
            time.sleep(_PAUSE_S)  # a server that ends each stream at once is not to be stormed

    @contextmanager
    def watch_once(
        self,
        kind: ServedKind,
        selection: Selection,
        version: str | None = None,
        *,
        table: bool = False,
        timeout_s: float | None = None,
    ) -> Iterator[Iterator[Json]]:
        """One stream, that ends after `timeout_s` or when the server likes."""
        query = selection.query | {"watch": "true", "allowWatchBookmarks": "true"}
        query |= {"includeObject": "Object"} if table else {}
        query |= {"resourceVersion": version} if version else {}
        query |= {"timeoutSeconds": str(max(1, round(timeout_s)))} if timeout_s else {}
        accept = TABLE if table else "application/json"
        path = kind.path(selection.namespace)
        silence_s = _SILENCE_S if timeout_s is None else min(_SILENCE_S, timeout_s + 1)
        with self.connection.lines(path, query, accept=accept, silence_s=silence_s) as lines:
            yield (json.loads(line) for line in lines)

    @contextmanager
    def logs(
        self, kind: ServedKind, namespace: str, name: str, query: Mapping[str, str]
    ) -> Iterator[Iterator[bytes]]:
        path = f"{kind.path(namespace, name)}/log"
        with self.connection.lines(path, query, accept="*/*") as lines:
            yield lines

    def events_of(self, resource: Json) -> Selection:
        """Where the events about it are."""
        metadata = resource["metadata"]
        # What belongs to no namespace has its events in the default one.
        return Selection(
            metadata.get("namespace", "default"), fields=f"involvedObject.uid={metadata['uid']}"
        )

    def _one(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Json | builtins.list[Json] | None = None,
        *,
        media: str = "application/json",
        accept: str = "application/json",
    ) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        return self.connection.ask(method, path, query, data, media=media, accept=accept)


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _kinds(group: Json) -> Iterator[ServedKind]:
    for version in group["versions"]:
        for resource in version["resources"]:
            about = resource["responseKind"]
            yield ServedKind(
                about["kind"],
                about.get("group", ""),
                about["version"],
                resource["resource"],
                resource["singularResource"],
                resource["scope"] == "Namespaced",
                tuple(resource.get("shortNames", ())),
                tuple(resource.get("categories", ())),
            )
