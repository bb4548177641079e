"""`graphway completion SHELL`: the script by which a shell completes our commands."""

from enum import StrEnum
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

PROGRAM = "graphway"


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


HELP = "Print the script by which a shell completes commands, kinds and names."
EXAMPLES = (
    "Examples:\n"
    "  source <(graphway completion bash)   in this shell; in ~/.bashrc: in each\n"
    "  graphway --install-completion        write it where this shell looks for it"
)

app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=EXAMPLES)
def completion(shell: Annotated[Shell, typer.Argument(show_default=False)]) -> None:
    variable = f"_{PROGRAM.upper()}_COMPLETE"
    print(get_completion_script(prog_name=PROGRAM, complete_var=variable, shell=shell))
