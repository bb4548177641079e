"""`graphway apply`: what manifests say becomes what a running graphway keeps."""

import sys
from typing import Annotated

import typer

from cli.resources.connect import REFUSED, USAGE, Server, connected, fail, told
from cli.resources.manifests import MANIFEST, Files, Said, read
from cli.resources.output import Form, Found, put, put_objects
from cli.resources.teach import examples
from controller.client.api import Api
from controller.store.errors import ApiError

HELP = (
    "Create what manifests say, or change it to that, in a running graphway."
    "\n\n"
    "All problems of all files are told first, and then nothing is sent. Fields that an earlier"
    " apply said and this one does not say are removed. What `graphway up` reads from its own files"
    " is better changed there: it would come back with the next edit."
)
EXAMPLES = examples(
    ("apply -f iris.yaml", "a file"),
    ("apply -f models -f graphs", "folders, and all below them"),
    ("apply -f iris.yaml --dry-run", "would the server take it?"),
    ("get isvc iris -o yaml | sed s/v1/v2/ | graphway apply -f -", "an edit"),
    refused="something was refused",
)

app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=EXAMPLES)
def apply(
    files: Files = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", metavar="NS", help="For what names none.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask the server, and change nothing.")
    ] = False,
    output: Annotated[
        Form | None,
        typer.Option(
            "--output", "-o", help="Print the objects as they are then.", show_default=False
        ),
    ] = None,
    server: Server = None,
) -> None:
    if not files:
        fail(USAGE, "say what to apply: -f PATH, or -f - for standard input")
    with connected(server) as api:
        faults: list[str] = []
        applied: list[Found] = []
        for said in read(api, files, namespace):
            try:
                found, what = _apply(api, said, dry_run)
            except ApiError as refused:
                faults.append(f"{said.place}: error: {told(refused)}")
                continue
            applied.append(found)
            if output is None or output.is_table:
                put([f"{said.kind.full_name}/{said.name} {what}{' (dry run)' if dry_run else ''}"])
        if output is not None and not output.is_table:
            put_objects(output, applied, one=len(applied) == 1)
        if faults:
            fail(REFUSED, *faults)


def _apply(api: Api, said: Said, dry_run: bool) -> tuple[Found, str]:
    kind, at = said.kind, (said.namespace, said.name)
    try:
        before = api.get(kind, *at)["metadata"]
    except ApiError as refused:
        if refused.code != 404:
            raise
        before = None
    answer = api.apply(kind, *at, said.resource, dry_run=dry_run)
    if before is None:
        return (kind, answer.body), "created"
    if file := (before.get("annotations") or {}).get(MANIFEST):
        message = f"{said.place}: warning: {file} says it too, and wins with its next edit"
        print(message, file=sys.stderr)
    after = answer.body["metadata"]
    same = dict(before, managedFields=None) == dict(after, managedFields=None)
    return (kind, answer.body), "unchanged" if same else "configured"
