"""Commands whose modules are imported when they run: `--help` answers at once however many rooms
there are behind it, and a command needs only what it uses itself.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

OURS = frozenset({"cli", "controller", "graph", "router", "configs"})


class Lazy(TyperGroup):
    """`table`: name -> (module:function, or module:app where it has commands or options of its own;
    help). `called`: the words before the name.
    """

    table: ClassVar[Mapping[str, tuple[str, str]]]
    called: ClassVar[str]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A line of the help, not yet the command."""
        if cmd_name not in self.table:
            return None
        return TyperCommand(cmd_name, help=self.table[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in self.table:
            return super().resolve_command(ctx, args)  # which says so
        module, _, attribute = self.table[name][0].partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except ModuleNotFoundError as missing:
            if missing.name is None or missing.name.partition(".")[0] in OURS:
                raise
            text = f"{self.called} {name} needs {missing.name}, which is not installed here"
            print(f"{text}; install it by: pip install 'graphway[all]'", file=sys.stderr)
            raise typer.Exit(2) from None
        if not isinstance(found, typer.Typer):
            function, found = found, typer.Typer(add_completion=False)
            found.command(name)(function)
        return name, get_command(found), args[1:]
