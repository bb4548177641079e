"""`graphway get`: what there is, as a table, as manifests or as names; once, or as it changes."""

import sys
from typing import Annotated

import typer

from cli.resources import table
from cli.resources.connect import REFUSED, USAGE, Server, connected, fail, told
from cli.resources.output import Form, Found, Output, name_of, put, put_objects
from cli.resources.shares import is_revision, with_shares
from cli.resources.teach import examples
from cli.resources.words import Labels, Meant, Namespace, Words, meant
from controller.client.api import Api, Json, Selection
from controller.store.errors import ApiError

HELP = (
    "Show resources of a running graphway."
    "\n\n"
    "KIND is a kind as kubectl takes it (inferenceservices, inferenceservice, isvc), several by"
    " comma, or `all`: everything that runs. Names choose some of a kind."
)
EXAMPLES = examples(
    ("get isvc", "the InferenceServices of namespace default"),
    ("get all -A", "everything that runs, in all namespaces"),
    ("get ig flowers -o yaml", "a graph as a manifest, with its status"),
    ("get isvc/iris ig/flowers", "of two kinds, by name"),
    ("get revisions", "of the services, with their shares of the calls"),
    ("get isvc -w", "then every change; Ctrl-C ends"),
    ("get isvc -l team=a -o name", "for scripts"),
    refused="one of them is not there",
)

app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=EXAMPLES)
def get(
    words: Words = None,
    namespace: Namespace = "default",
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="In every namespace.")
    ] = False,
    labels: Labels = "",
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Then every change, until Ctrl-C.")
    ] = False,
    output: Output = Form.TABLE,
    server: Server = None,
) -> None:
    with connected(server) as api:
        asked = meant(api, words)
        if any(one.names for one in asked) and (all_namespaces or labels):
            fail(USAGE, "names are looked for in one namespace: leave out -A and -l")
        where = Selection(None if all_namespaces else namespace, labels)
        if watch:
            if len(asked) != 1 or len(asked[0].names) > 1:
                fail(USAGE, "-w watches one kind, or one object of it")
            _watch(api, asked[0], where, output)
        elif output.is_table:
            _tables(api, asked, where, wide=output is Form.WIDE)
        else:
            _objects(api, asked, where, output)


def _tables(api: Api, asked: list[Meant], where: Selection, *, wide: bool) -> None:
    faults: list[ApiError] = []
    blocks = []
    for one in asked:
        answers = _tables_of(api, one, where, faults)
        if is_revision(one.kind):
            answers = [with_shares(api, answer, where.namespace) for answer in answers]
        namespaces = where.namespace is None and one.kind.namespaced
        prefix = f"{one.kind.full_name}/" if len(asked) > 1 else ""
        found = [
            row
            for answer in answers
            for row in table.rows(answer, wide=wide, namespaces=namespaces, prefix=prefix)
        ]
        if found:
            head = table.header(answers[0], wide=wide, namespaces=namespaces)
            blocks.append("\n".join(table.Rows(head).lines(found)))
    put(["\n\n".join(blocks)] if blocks else [])
    if not blocks and not faults:
        place = f" in namespace {where.namespace}; -A looks in all" if where.namespace else ""
        print(f"nothing found{place}", file=sys.stderr)
    _end(faults)


def _tables_of(api: Api, one: Meant, where: Selection, faults: list[ApiError]) -> list[Json]:
    if not one.names:
        return [api.list(one.kind, where, table=True)]
    found = []
    for name in one.names:
        try:
            found.append(api.get(one.kind, where.namespace or "", name, table=True))
        except ApiError as refused:
            faults.append(refused)
    return found


def _objects(api: Api, asked: list[Meant], where: Selection, form: Form) -> None:
    faults: list[ApiError] = []
    found: list[Found] = []
    for one in asked:
        if not one.names:
            found += [(one.kind, item) for item in api.objects(one.kind, where)]
        for name in one.names:
            try:
                found.append((one.kind, api.get(one.kind, where.namespace or "", name)))
            except ApiError as refused:
                faults.append(refused)
    single = sum(len(one.names) for one in asked) == 1
    if found or not single:
        put_objects(form, found, one=single)
    _end(faults)


def _end(faults: list[ApiError]) -> None:
    if faults:
        fail(REFUSED, *map(told, faults))


def _watch(api: Api, one: Meant, where: Selection, form: Form) -> None:
    fields = f"metadata.name={one.names[0]}" if one.names else ""
    where = Selection(where.namespace, where.labels, fields)
    namespaces = where.namespace is None and one.kind.namespaced
    wide = form is Form.WIDE
    first = api.list(one.kind, where, table=form.is_table)
    version = first["metadata"]["resourceVersion"]
    shares = form.is_table and is_revision(one.kind)
    if shares:
        first = with_shares(api, first, where.namespace)
    lines = None
    if form.is_table:
        lines = table.Rows(table.header(first, wide=wide, namespaces=namespaces))
        put(lines.lines(table.rows(first, wide=wide, namespaces=namespaces)))
    else:
        _put_each(form, [(one.kind, item) for item in first["items"]])
    for event in api.watch(one.kind, where, version, table=form.is_table):
        gone = event["type"] == "DELETED"
        shown = event["object"]
        if lines is None:
            _put_each(form, [(one.kind, shown)], gone=gone)
            continue
        if shares:
            shown = with_shares(api, shown, where.namespace)
        found = table.rows(shown, wide=wide, namespaces=namespaces)
        if gone:
            put(f"{name_of(one.kind, row['object'])} is gone" for row in shown["rows"])
        else:
            put(lines.lines(found))


def _put_each(form: Form, objects: list[Found], *, gone: bool = False) -> None:
    """A stream of documents: of what is gone, the last state."""
    for found in objects:
        if form is Form.YAML:
            put(["---"])
        if form is Form.NAME and gone:
            put([f"{name_of(*found)} is gone"])
            continue
        put_objects(form, [found], one=True)
