"""The table of commands. A new one is a line here, and a module with a function of its options.

A command's module is imported when that command runs (`lazy`).
"""

import typer

from cli.lazy import Lazy

COMMANDS = {  # name -> (module:function, or module:app where it has commands of its own; help)
    "check": ("cli.check:check", "Find every problem of some manifests."),
    "serve": ("cli.serve:app", "Serve graphs."),
    "up": (
        "cli.up:up",
        "Start the models of some manifests on this machine, and serve their graphs.",
    ),
    "explain": (
        "cli.explain:app",
        "Say why: which way a request goes, which runtime is chosen.",
    ),
    "render": ("cli.render.command:app", "Draw a graph."),
    "get": ("cli.resources.get:app", "Show resources of a running graphway."),
    "describe": ("cli.resources.describe:app", "Show all about some resources."),
    "top": ("cli.top.command:app", "Show what runs and how it goes, live."),
    "apply": ("cli.resources.apply:app", "Create or change what manifests say."),
    "delete": ("cli.resources.delete:app", "Delete resources, and wait until they are gone."),
    "logs": ("cli.resources.logs:app", "Print what the servers of an InferenceService print."),
    "events": ("cli.resources.events:app", "Show what happened."),
    "stop": ("cli.resources.stop:stop_app", "End what runs for a resource, and keep it."),
    "resume": ("cli.resources.stop:resume_app", "Start again what was stopped."),
    "rollback": ("cli.resources.rollback:app", "Let calls go to an earlier revision again."),
    "schema": ("cli.schema:schema", "Print what manifests may say, for editors (JSON Schema)."),
    "crds": ("cli.crds:crds", "Print what manifests may say, for a cluster (CRDs)."),
    "completion": ("cli.completion:app", "Print the script by which a shell completes."),
    "version": ("cli.version:version", "Print the version."),
}


class Commands(Lazy):
    table = COMMANDS
    called = "graphway"


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def graphway() -> None:
    """Inference graphs: check, compile and serve KServe InferenceGraph manifests."""
