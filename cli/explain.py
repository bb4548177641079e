"""`graphway explain`: why something is as it is. A table of its commands."""

import typer

from cli.lazy import Lazy

COMMANDS = {
    "request": (
        "cli.explain_request.command:app",
        "Show what a graph would do with a request, without any server.",
    ),
    "runtime": (
        "cli.explain_runtime:app",
        "Print which runtime serves each model, and why the others do not.",
    ),
}


class _Explain(Lazy):
    table = COMMANDS
    called = "graphway explain"


app = typer.Typer(cls=_Explain, no_args_is_help=True, add_completion=False)


@app.callback()
def explain() -> None:
    """Say why something is as it is."""
