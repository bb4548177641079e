"""`graphway logs`: what the servers of an InferenceService print."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from cli.resources.completion import complete_services
from cli.resources.connect import USAGE, Server, connected, fail
from cli.resources.teach import examples
from cli.resources.words import Namespace, meant_or_default

HELP = "Print what the servers of an InferenceService have printed."
EXAMPLES = examples(
    ("logs iris", "of its predictor, all that is kept"),
    ("logs iris -f --tail 20", "the last lines, then each new one; Ctrl-C ends"),
    ("logs iris -c transformer", "of another component"),
    ("logs iris --previous", "of the process before the last restart"),
    ("logs pod/iris-predictor-00001-0", "of one replica"),
    refused="there is no such log",
)


class Component(StrEnum):
    PREDICTOR = "predictor"
    TRANSFORMER = "transformer"
    EXPLAINER = "explainer"


app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=EXAMPLES)
def logs(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help="Of an InferenceService; or KIND/NAME.",
            autocompletion=complete_services,
            show_default=False,
        ),
    ],
    namespace: Namespace = "default",
    component: Annotated[
        Component | None,
        typer.Option("--component", "-c", help="Which one (predictor).", show_default=False),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then each new line, until Ctrl-C.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option(metavar="N", help="Only the last N lines.", min=0, show_default=False),
    ] = None,
    previous: Annotated[
        bool, typer.Option("--previous", "-p", help="Of the process before the last restart.")
    ] = False,
    server: Server = None,
) -> None:
    query = {"component": component.value} if component else {}
    query |= {"follow": "true"} if follow else {}
    query |= {"tail": str(tail)} if tail is not None else {}
    query |= {"previous": "true"} if previous else {}
    with connected(server) as api:
        found = meant_or_default(api, words, "inferenceservices")
        if len(found) != 1 or len(found[0].names) != 1:
            fail(USAGE, "the log of one at a time: `graphway logs NAME`")
        (name,) = found[0].names
        with api.logs(found[0].kind, namespace, name, query) as lines:
            for line in lines:
                # As they are: a server may print what is no UTF-8.
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
