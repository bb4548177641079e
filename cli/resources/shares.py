"""The shares of revisions, beside them in their table: they are the service's to tell, so no column
of the server has them.
"""

from cli.resources.revisions import SeenRevision, seen
from controller.client.api import Api, Json, Selection, ServedKind

REVISION = ("apps/v1", "ControllerRevision")
_COLUMNS = (
    {"name": "Canary", "type": "string", "priority": 0},
    {"name": "Share", "type": "string", "priority": 0},
    {"name": "Ready", "type": "string", "priority": 0},
    {"name": "State", "type": "string", "priority": 0},
)


def is_revision(kind: ServedKind) -> bool:
    return (kind.api_version, kind.name) == REVISION


def with_shares(api: Api, table: Json, namespace: str | None) -> Json:
    """The columns come before the last one, which is the age."""
    *before, age = table["columnDefinitions"]
    rows = table["rows"] or ()
    known = {
        (each.namespace, each.name): each
        for each in seen(
            _all(api, "serving.kserve.io/v1beta1", "InferenceService", namespace),
            [row["object"] for row in rows],
            _all(api, "v1", "Pod", namespace),
        )
    }
    made = []
    for row in rows:
        *cells, last = row["cells"]
        metadata = row["object"]["metadata"]
        told = _cells(known[metadata["namespace"], metadata["name"]])
        made.append(row | {"cells": [*cells, *told, last]})
    return table | {"columnDefinitions": [*before, *_COLUMNS, age], "rows": made}


def _cells(revision: SeenRevision) -> list[str]:
    share = "" if revision.share is None else f"{revision.share}%"
    replicas = f"{revision.ready}/{revision.wanted}" if revision.runs else ""
    return [revision.canary, share, replicas, revision.state]


def _all(api: Api, api_version: str, name: str, namespace: str | None) -> list[Json]:
    kind = api.kind_of(api_version, name)
    assert kind is not None  # of each server of this API
    found: list[Json] = api.list(kind, Selection(namespace))["items"]
    return found
