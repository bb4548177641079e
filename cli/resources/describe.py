"""`graphway describe`: an object for a reader: what it is, says and does, and what happened.

Values of Secrets are not shown, only how long they are.
"""

import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence

import typer

from cli.resources.connect import REFUSED, Server, connected, fail, told
from cli.resources.events import event_kind, last_seen, message_of, order
from cli.resources.operated import sections
from cli.resources.output import as_yaml, put
from cli.resources.table import Rows
from cli.resources.teach import examples
from cli.resources.words import Labels, Namespace, Words, meant
from controller.client.api import Api, Json, Selection
from controller.store.errors import ApiError

HELP = "Show all about some resources: spec, status, conditions and what happened to them."
EXAMPLES = examples(
    ("describe isvc iris", "why is it not ready?"),
    ("describe ig", "all graphs of namespace default"),
    refused="one of them is not there",
)
_HEAD = ("apiVersion", "kind", "metadata", "spec", "status")
_LABEL = 14

app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=EXAMPLES)
def describe(
    words: Words = None,
    namespace: Namespace = "default",
    labels: Labels = "",
    server: Server = None,
) -> None:
    with connected(server) as api:
        objects: list[Json] = []
        faults = []
        for one in meant(api, words):
            if not one.names:
                objects += api.objects(one.kind, Selection(namespace, labels))
            for name in one.names:
                try:
                    objects.append(api.get(one.kind, namespace, name))
                except ApiError as refused:
                    faults.append(told(refused))
        put(["\n\n\n".join("\n".join(_described(api, each)) for each in objects)] * bool(objects))
        if not objects and not faults:
            print(f"nothing found in namespace {namespace}", file=sys.stderr)
        if faults:
            fail(REFUSED, *faults)


def _described(api: Api, resource: Json) -> Iterator[str]:
    metadata = resource["metadata"]
    yield _field("Name", metadata["name"])
    if "namespace" in metadata:
        yield _field("Namespace", metadata["namespace"])
    yield _field("Kind", f"{resource['kind']} ({resource['apiVersion']})")
    yield from _pairs("Labels", metadata.get("labels"))
    yield from _pairs("Annotations", metadata.get("annotations"))
    yield _field("Created", f"{metadata['creationTimestamp']}, uid {metadata['uid']}")
    if "deletionTimestamp" in metadata:
        held = ", ".join(metadata.get("finalizers") or ())
        yield _field("Deleted", f"{metadata['deletionTimestamp']}, held by {held}")
    yield _field("Generation", str(metadata.get("generation", "")))
    if resource["kind"] == "InferenceService":
        yield from (_field("Model cache", told) for told in _caches(api, metadata))
    content = {key: value for key, value in resource.items() if key not in _HEAD}
    if resource["kind"] == "Secret":
        content["data"] = {key: _size(value) for key, value in (content.get("data") or {}).items()}
    yield from _block("Spec", resource.get("spec"))
    for key, value in content.items():
        yield from _block(key.capitalize(), value)
    status = dict(resource.get("status") or {})
    conditions = status.pop("conditions", None) or ()
    yield from _block("Status", status)
    yield from _table(
        "Conditions",
        ("Type", "Status", "Since", "Reason", "Message"),
        [
            [c.get(key) for key in ("type", "status", "lastTransitionTime", "reason", "message")]
            for c in conditions
        ],
    )
    if resource["kind"] == "InferenceService":
        for section in sections(api, resource):
            yield from _table(section.title, section.header, section.rows)
    found = api.list(event_kind(api), api.events_of(resource))["items"]
    yield from _table(
        "Events",
        ("Last seen", "Type", "Reason", "Message"),
        [
            [last_seen(event), event.get("type"), event.get("reason"), message_of(event)]
            for event in sorted(found, key=order)
        ],
    )


def _caches(api: Api, service: Json) -> Iterator[str]:
    """Those that keep a model of this service."""
    here = {"namespace": service.get("namespace"), "name": service["name"]}
    for name in ("LocalModelNamespaceCache", "LocalModelCache"):
        kind = api.kind(name)
        for cache in api.objects(kind, Selection()) if kind is not None else ():
            status = cache.get("status") or {}
            if here in (status.get("inferenceServices") or ()):
                states = ", ".join(f"{k} {v}" for k, v in (status.get("nodeStatus") or {}).items())
                yield f"{name} {cache['metadata']['name']} ({states})"


def _field(label: str, text: str) -> str:
    return f"{label + ':':<{_LABEL}}{text}"


def _pairs(label: str, pairs: dict[str, str] | None) -> Iterator[str]:
    for at, (key, value) in enumerate((pairs or {}).items()):
        text = f"{key}={' '.join(value.split())}"
        yield _field(label, text) if at == 0 else " " * _LABEL + text


def _block(label: str, value: object) -> Iterator[str]:
    if not value:
        return
    yield f"{label}:"
    text = as_yaml(value) if isinstance(value, dict) else str(value)
    yield from (f"  {line}" for line in text.splitlines())


def _table(label: str, header: tuple[str, ...], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    if rows:
        yield f"{label}:"
        yield from (f"  {line}" for line in Rows(header).lines(rows))


def _size(value: str) -> str:
    return f"{len(b64decode(value))} bytes"
