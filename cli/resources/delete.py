"""`graphway delete`: objects go, and what runs for them ends; by name, by label or by file."""

import sys
import time
from typing import Annotated

import typer

from cli.resources.connect import REFUSED, USAGE, Server, connected, fail, told
from cli.resources.manifests import MANIFEST, Files, read
from cli.resources.output import put
from cli.resources.teach import examples
from cli.resources.words import Labels, Words, meant
from controller.client.api import Api, Selection, ServedKind
from controller.store.errors import ApiError

HELP = (
    "Delete resources of a running graphway, and wait until they are gone."
    "\n\n"
    "What a running `graphway up` reads from its own files comes back: take it out of the file."
)
EXAMPLES = examples(
    ("delete isvc iris", "its servers end when their requests are answered"),
    ("delete isvc/iris ig/flowers", "of two kinds"),
    ("delete isvc -l team=a", "all with a label; --all: all there are"),
    ("delete -f iris.yaml", "what a file says"),
    refused="one was not there, or still is",
)
POLL_S = 0.1

app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=EXAMPLES)
def delete(
    words: Words = None,
    files: Files = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NS", help="Namespace (default)."),
    ] = None,
    labels: Labels = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All of the kind in the namespace.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Until they are gone.")] = True,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait; 0: for ever.", min=0)
    ] = 0,
    ignore_not_found: Annotated[
        bool, typer.Option("--ignore-not-found", help="What is not there is no fault.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask the server, and change nothing.")
    ] = False,
    server: Server = None,
) -> None:
    _check_usage(words, files, labels, everything)
    with connected(server) as api:
        if files:
            said = read(api, files, namespace, check=False)
            # The other way round than they were made: graphs go before what they call.
            doomed = [(one.kind, one.namespace, one.name) for one in reversed(said)]
        else:
            doomed = _doomed(api, words or [], namespace or "default", labels, everything)
        faults, going = [], []
        for kind, place, name in doomed:
            try:
                metadata = api.get(kind, place, name)["metadata"]
                api.delete(kind, place, name, dry_run=dry_run)
            except ApiError as refused:
                if not (ignore_not_found and refused.code == 404):
                    faults.append(told(refused))
                continue
            put([f"{kind.full_name}/{name} deleted{' (dry run)' if dry_run else ''}"])
            if file := (metadata.get("annotations") or {}).get(MANIFEST):
                message = f"warning: {file} says it too, and brings it back; take it out there"
                print(f"{kind.full_name}/{name}: {message}", file=sys.stderr)
            going.append((kind, place, name, metadata["uid"]))
        if wait and not dry_run:
            faults += _wait(api, going, time.monotonic() + timeout if timeout else None)
        if faults:
            fail(REFUSED, *faults)


def _check_usage(
    words: list[str] | None, files: list[str] | None, labels: str, everything: bool
) -> None:
    if not words and not files:
        fail(USAGE, "say what to delete: KIND NAME, KIND/NAME, KIND -l LABELS, or -f PATH")
    if files and (words or labels or everything):
        fail(USAGE, "-f says what to delete: leave out kinds, names, -l and --all")
    if labels and everything:
        fail(USAGE, "give -l or --all, not both")


def _doomed(
    api: Api, words: list[str], namespace: str, labels: str, everything: bool
) -> list[tuple[ServedKind, str, str]]:
    found = []
    for one in meant(api, words):
        names = one.names
        if names and (labels or everything):
            fail(USAGE, "give names, or -l, or --all")
        if not names:
            if not (labels or everything):
                fail(USAGE, f"which {one.kind.plural}? give names, -l LABELS, or --all")
            items = api.list(one.kind, Selection(namespace, labels))["items"]
            names = tuple(item["metadata"]["name"] for item in items)
        found += [(one.kind, namespace, name) for name in names]
    return found


def _wait(api: Api, going: list[tuple[ServedKind, str, str, str]], ends: float | None) -> list[str]:
    """What is still there at the end, as faults. Another object of that name is not it."""
    for kind, place, name, uid in going:
        while _is_there(api, kind, place, name, uid):
            if ends is not None and time.monotonic() > ends:
                return [f"{kind.full_name}/{name} is still there; it goes when its servers ended"]
            time.sleep(POLL_S)
    return []


def _is_there(api: Api, kind: ServedKind, namespace: str, name: str, uid: str) -> bool:
    try:
        return bool(api.get(kind, namespace, name)["metadata"]["uid"] == uid)
    except ApiError as refused:
        if refused.code != 404:
            raise
        return False
