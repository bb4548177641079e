"""`graphway explain request`: one walk through one graph, with the answers that a file gives."""

import json
import re
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli.chosen import chosen
from cli.explain_request.answers import Answers, BadAnswers, answers, nodes
from cli.explain_request.text import lines
from cli.explain_request.walk import Walker
from cli.options import USAGE, fail
from graph.compiler import compile
from graph.loader import Document
from graph.packed import document_of
from graph.plan import Plan
from graph.workspace import Workspace, load_paths
from router import settings
from router.config import EndpointSource
from router.messages import Head, Request
from router.plans import Routes
from router.propagate import Propagate
from router.services import endpoints_of

HELP = (
    "Show what a graph would do with a request, without any server."
    "\n\n"
    "Which conditions match, and why the others do not; which branch is taken; what each call would"
    " send; and what comes of it. Predictors answer 200 with {}, or what --answers says."
)
EXAMPLES = (
    "Examples:\n"
    "  graphway explain request graph.yaml --body '{\"instances\": [[1, 2]]}'\n"
    "  graphway explain request graph.yaml --body @request.json -H 'x-tier: gold'\n"
    "  graphway explain request . --graph shop/cart --body @- --answers a.yaml\n"
    "  graphway explain request graph.yaml --path /v1/chat/completions --seed 7\n\n"
    "Answers are given by step (NAME or NODE/NAME), one or a list for repeated calls:\n"
    "  detect: {body: {predictions: [[1, 2]]}}\n"
    "  classify: [{status: 503, body: busy, after: 0.2}, {error: timeout}]\n\n"
    "An error is connect, timeout, reset, protocol, unresolved or overload; `after` is in"
    " seconds.\n\n"
    "Exit code 0: the walk is shown, whatever comes of it. 1: the graph has errors. 2: bad usage, a"
    " file that cannot be read, answers that cannot be used."
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LATIN = re.compile(r"[ \t\x21-\x7e\x80-\xff]*")


app = typer.Typer(add_completion=False)


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command(help=HELP, epilog=EXAMPLES)
def request(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files, folders (*.yaml, *.yml, *.json, also below), or - for standard input.",
        ),
    ],
    body_text: Annotated[
        str,
        typer.Option("--body", "-d", metavar="BODY", help="A text, @FILE, or @- for stdin."),
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="Of the caller. Repeat."),
    ] = None,
    method: Annotated[str, typer.Option("--method", "-X", help="Of the caller.")] = "POST",
    path: Annotated[
        str, typer.Option("--path", help="Of the caller, below the graph; with a query or not.")
    ] = "/",
    query: Annotated[str, typer.Option("--query", help="Of the caller.")] = "",
    answers_file: Annotated[
        str | None,
        typer.Option("--answers", metavar="FILE", help="What predictors say; - for stdin."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides the draws of Splitters.")] = 0,
    graph: Annotated[
        str | None,
        typer.Option("--graph", metavar="NS/NAME", help="Which, where PATH has several."),
    ] = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="How to print.")] = Form.TEXT,
) -> None:
    if [*paths, body_text.removeprefix("@"), answers_file].count("-") > 1:
        fail(USAGE, ["standard input (-) can be only one of PATH, --body and --answers"])
    found = load_paths(paths)
    _, spec = chosen(found, graph)
    plan = compile(spec)
    inner = _called(plan, found)
    patterns, _ = settings.propagated_headers()
    walker = Walker(
        _answers(answers_file, plan, inner.values()),
        inner,
        _addresses(found.graphs),
        Propagate(tuple(patterns)),
    )
    path, _, within = path.partition("?")
    head = Head(
        method.encode(),
        path.encode(),
        (query or within).encode(),
        tuple(map(_header, header or ())),
    )
    sent = Request(head, document_of(_body(body_text), head.headers))
    record = walker.record(plan, sent, seed)
    if output is Form.JSON:
        print(json.dumps(record, indent=2, ensure_ascii=False))
        return
    known = (node for each in (plan, *inner.values()) for node in nodes(each))
    kinds = {node.address: node.kind.value for node in known}
    console = Console(highlight=False, soft_wrap=True)
    for line in lines(record, kinds):
        console.print(Text.assemble(*((words.printable, words.style) for words in line)))


def _called(plan: Plan, found: Workspace) -> dict[str, Plan]:
    """The graphs of the same files that this one calls, and those that they call, by URL."""
    plans = {plan.key: plan}
    for document in found.graphs:
        if document.graph is not None and document.key not in plans:
            plans[document.key] = compile(document.graph)
    return Routes(plans.values(), (), None).inner


def _addresses(graphs: Iterable[Document]) -> dict[str, str]:
    """Where `serve` would find the services, by target."""
    endpoints, _ = endpoints_of(graphs, (), {})
    return {f"service:{key}": _url(source) for key, source in endpoints.items()}


def _url(source: EndpointSource) -> str:
    return f"{source.addresses[0]}{source.path}"


def _answers(file: str | None, plan: Plan, inner: Iterable[Plan]) -> Answers:
    if file is None:
        return Answers({})
    try:
        return answers(_read(file), "<stdin>" if file == "-" else file, plan, inner)
    except BadAnswers as bad:
        fail(USAGE, bad.lines)


def _body(text: str) -> bytes:
    return _read(text[1:]) if text.startswith("@") else text.encode(errors="surrogateescape")


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(USAGE, [f"{file}: cannot be read: {error.strerror}"])


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not (colon and _NAME.fullmatch(name) and _LATIN.fullmatch(value)):
        fail(USAGE, [f"-H {text!r}: write 'NAME: VALUE', on one line"])
    return name.lower().encode(), value.strip().encode("latin-1")
