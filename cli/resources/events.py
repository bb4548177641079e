"""`graphway events`: what happened, the latest last; once, or as it happens."""

import sys
from typing import Annotated

import typer

from cli.resources.connect import USAGE, Server, connected, fail
from cli.resources.output import put
from cli.resources.table import Rows
from cli.resources.teach import examples
from cli.resources.words import Namespace, Words, meant
from controller.client.api import Api, Json, Selection, ServedKind

HELP = "Show what happened: to everything in a namespace, or to WHAT is named."
EXAMPLES = examples(
    ("events", "all of namespace default, the latest last"),
    ("events isvc iris", "why is it not ready?"),
    ("events -A -w --warnings", "what goes wrong from now on; Ctrl-C ends"),
    refused="one of them is not there",
)
COLUMNS = ("Last seen", "Type", "Reason", "Object", "Message")

app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=EXAMPLES)
def events(
    words: Words = None,
    namespace: Namespace = "default",
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="In every namespace.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Then each new one, until Ctrl-C.")
    ] = False,
    warnings: Annotated[bool, typer.Option("--warnings", help="Only warnings.")] = False,
    server: Server = None,
) -> None:
    with connected(server) as api:
        kind = event_kind(api)
        only = "type=Warning" if warnings else ""
        where = Selection(None if all_namespaces else namespace, fields=only)
        wheres = [where]
        if words:
            if all_namespaces:
                fail(USAGE, "an object is in one namespace: leave out -A")
            wheres = _about(api, words, namespace, only)
        if watch and len(wheres) > 1:
            fail(USAGE, "-w watches all events, or those of one object")
        listings = [api.list(kind, each) for each in wheres]
        found = sorted((item for one in listings for item in one["items"]), key=order)
        lines = Rows(("Namespace", *COLUMNS) if all_namespaces else COLUMNS)
        put(lines.lines(_row(event, all_namespaces) for event in found))
        if not found and not watch:
            place = "" if all_namespaces else f" in namespace {namespace}; -A looks in all"
            print(f"no events{place}", file=sys.stderr)
        if watch:
            since = listings[0]["metadata"]["resourceVersion"]
            for change in api.watch(kind, wheres[0], since):
                if change["type"] != "DELETED":  # they are only forgotten
                    put(lines.lines([_row(change["object"], all_namespaces)]))


def event_kind(api: Api) -> ServedKind:
    kind = api.kind_of("v1", "Event")
    assert kind is not None  # of each server of this API
    return kind


def last_seen(event: Json) -> str:
    return str(event.get("lastTimestamp") or event["metadata"].get("creationTimestamp") or "")


def order(event: Json) -> tuple[str, int]:
    """Times have whole seconds; among those of one, the version says which came last."""
    return last_seen(event), int(event["metadata"].get("resourceVersion") or 0)


def message_of(event: Json) -> str:
    count = event.get("count", 1)
    return f"{event.get('message', '')}{f' (x{count})' if count > 1 else ''}"


def _about(api: Api, words: list[str], namespace: str, only: str) -> list[Selection]:
    found = []
    for one in meant(api, words):
        if not one.names:
            fields = [f"involvedObject.kind={one.kind.name}", only]
            place = namespace if one.kind.namespaced else "default"
            found.append(Selection(place, fields=",".join(filter(None, fields))))
        for name in one.names:
            about = api.events_of(api.get(one.kind, namespace, name))
            fields = [about.fields, only]
            found.append(Selection(about.namespace, fields=",".join(filter(None, fields))))
    return found


def _row(event: Json, namespaces: bool) -> list[str]:
    about = event.get("involvedObject") or {}
    row = [
        last_seen(event),
        str(event.get("type", "")),
        str(event.get("reason", "")),
        f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        message_of(event),
    ]
    return [event["metadata"].get("namespace", ""), *row] if namespaces else row
