"""The table of commands. A new one is a line here, and a module with a function of its options.

A command's module is imported when that command runs, so `graphway --help` answers at once however
many rooms there are behind it.
"""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

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
OURS = frozenset({"cli", "controller", "graph", "router", "configs"})


class Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A line of the help, not yet the command."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in COMMANDS:
            return super().resolve_command(ctx, args)  # which says so
        module, _, attribute = COMMANDS[name][0].partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except ModuleNotFoundError as missing:
            if missing.name is None or missing.name.partition(".")[0] in OURS:
                raise
            text = f"graphway {name} needs {missing.name}, which is not installed here"
            print(f"{text}; install it by: pip install 'graphway[all]'", file=sys.stderr)
            raise typer.Exit(2) from None
        if not isinstance(found, typer.Typer):
            function, found = found, typer.Typer(add_completion=False)
            found.command(name)(function)
        return name, get_command(found), args[1:]


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def graphway() -> None:
    """Inference graphs: check, compile and serve KServe InferenceGraph manifests."""
