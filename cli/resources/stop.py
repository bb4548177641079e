"""`graphway stop` and `resume`: KServe's annotation that ends what runs and keeps the resource."""

from typing import Annotated

import typer

from cli.resources.completion import complete_services
from cli.resources.connect import REFUSED, USAGE, Server, connected, fail, told
from cli.resources.output import put
from cli.resources.teach import examples
from cli.resources.words import Namespace, meant_or_default
from controller.client.api import Api, ServedKind
from controller.store.errors import ApiError

STOP = "serving.kserve.io/stop"
STOPPABLE = ("inferenceservices", "inferencegraphs")

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME",
        help="Of InferenceServices; of graphs as ig/NAME.",
        autocompletion=complete_services,
        show_default=False,
    ),
]

stop_app = typer.Typer(add_completion=False)
resume_app = typer.Typer(add_completion=False)


@stop_app.command(
    help="End the servers of InferenceServices, or graphs, and keep the resources."
    "\n\n"
    f"It sets KServe's annotation {STOP}, so it outlives a restart.",
    epilog=examples(
        ("stop iris", "its servers end when their requests are answered"),
        ("stop iris digits ig/flowers", "several"),
        ("resume iris", "and back again"),
        refused="one of them is not there",
    ),
)
def stop(words: Names, namespace: Namespace = "default", server: Server = None) -> None:
    _set(words, namespace, server, stopped=True)


@resume_app.command(
    help="Start again what `graphway stop` has ended.",
    epilog=examples(
        ("resume iris", ""),
        ("get isvc iris -w", "see it become ready"),
        refused="one of them is not there",
    ),
)
def resume(words: Names, namespace: Namespace = "default", server: Server = None) -> None:
    _set(words, namespace, server, stopped=False)


def _set(words: list[str], namespace: str, server: str | None, *, stopped: bool) -> None:
    with connected(server) as api:
        found = meant_or_default(api, words, "inferenceservices")
        for one in found:
            if one.kind.plural not in STOPPABLE:
                fail(USAGE, f"{one.kind.plural} do not run; {' and '.join(STOPPABLE)} do")
        faults = []
        for one in found:
            for name in one.names:
                try:
                    said = _set_one(api, one.kind, namespace, name, stopped)
                except ApiError as refused:
                    faults.append(told(refused))
                else:
                    put([f"{one.kind.full_name}/{name} {said}"])
        if faults:
            fail(REFUSED, *faults)


def _set_one(api: Api, kind: ServedKind, namespace: str, name: str, stopped: bool) -> str:
    before = api.get(kind, namespace, name)["metadata"]["resourceVersion"]
    patch = {"metadata": {"annotations": {STOP: "true" if stopped else None}}}
    after = api.merge(kind, namespace, name, patch)["metadata"]["resourceVersion"]
    said = "stopped" if stopped else "resumed"
    return said if after != before else "was stopped already" if stopped else "was not stopped"
