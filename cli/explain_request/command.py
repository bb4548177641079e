"""`graphway explain request`: one walk through one graph, with the answers that a file gives."""

import json
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli.chosen import chosen
from cli.explain_request.answers import Answers, BadAnswers, answers, nodes
from cli.explain_request.text import lines
from cli.options import USAGE, fail
from graph.caller import Caller
from graph.compiler import compile
from graph.effects import Headers, Input, Outcome, Payload
from graph.loader import Document
from graph.packed import document_of
from graph.plan import Plan
from graph.trace import Trace
from graph.workspace import load_paths
from router import settings
from router.config import EndpointSource
from router.dry_run import dry_run
from router.explained import Json, body, headers, route, told
from router.messages import Head, Request, Response
from router.propagate import Propagate
from router.services import endpoints_of
from router.stack import Exchange

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
    document, spec = chosen(load_paths(paths), graph)
    plan = compile(spec)
    script = _answers(answers_file, plan)
    path, _, within = path.partition("?")
    head = Head(
        method.encode(),
        path.encode(),
        (query or within).encode(),
        tuple(map(_header, header or ())),
    )
    record = _explain(plan, document, head, _body(body_text), seed, script)
    if output is Form.JSON:
        print(json.dumps(record, indent=2, ensure_ascii=False))
        return
    kinds = {node.address: node.kind.value for node in nodes(plan)}
    console = Console(highlight=False, soft_wrap=True)
    for line in lines(record, kinds):
        console.print(Text.assemble(*((words.printable, words.style) for words in line)))


def _explain(
    plan: Plan, document: Document, head: Head, sent: bytes, seed: int, script: Answers
) -> Json:
    trace = Trace()
    patterns, _ = settings.propagated_headers()
    propagate = Propagate(tuple(patterns))
    request = Request(head, document_of(sent, head.headers))
    request.plan = plan
    given = Input(
        Payload(request.document, head.payload),
        propagate.beside(plan.propagated)(head),
        seed % 2**64,
        request.decisions,
        caller=Caller(head.method, head.path, head.query, head.headers, "127.0.0.1"),
        steps={} if plan.records else None,
        trace=trace,
    )
    outcome, took_s = dry_run(plan, given, script)
    asked = head.path + (b"?" + head.query if head.query else b"")
    return {
        "graph": plan.key,
        "revision": plan.revision,
        "seed": seed,
        "request": {
            "method": head.method.decode(),
            "path": asked.decode(),
            "headers": headers((*head.payload, *_beside(head))),
            "body": body(sent),
        },
        "events": [_marked(event, script) for event in told(trace.events, _addresses(document))],
        "outcome": _outcome(outcome, request),
        "took_ms": round(took_s * 1000, 3),
        "route": route(trace.events, took_s),
    }


def _beside(head: Head) -> Headers:
    describing = {name for name, _ in head.payload}
    return tuple(pair for pair in head.headers if pair[0] not in describing)


def _marked(event: Json, script: Answers) -> Json:
    if event["event"] == "call" and event["step"] in script.assumed:
        return {**event, "assumed": True}
    return event


def _outcome(outcome: Outcome, request: Request) -> Json:
    """As the router would answer."""
    answers: list[Response] = []
    Exchange(request, answers.append, limit=0).done(outcome)  # nothing is a stream here
    (answer,) = answers
    said: Json = {
        "status": answer.status,
        "headers": headers(answer.headers),
        "body": body(answer.body),
    }
    if request.failure is not None:
        said["failure"] = request.failure.kind.value
        said["at"] = request.failure.address
    return said


def _addresses(document: Document) -> dict[str, str]:
    """Where `serve` would find the services, by target."""
    endpoints, _ = endpoints_of([document], (), {})
    return {f"service:{key}": _url(source) for key, source in endpoints.items()}


def _url(source: EndpointSource) -> str:
    return f"{source.addresses[0]}{source.path}"


def _answers(file: str | None, plan: Plan) -> Answers:
    if file is None:
        return Answers({})
    try:
        return answers(_read(file), "<stdin>" if file == "-" else file, plan)
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
