"""How the `--help` of a command ends: examples to copy, then its exit codes."""

EXITS = "Exit code 1: {}. 2: bad usage, or no graphway to ask."


def examples(*shown: tuple[str, str], refused: str) -> str:
    """`shown`: a command without its first word, and what it does; `refused`: exit code 1."""
    lines = [(f"graphway {command}", what) for command, what in shown]
    width = max(len(command) for command, _ in lines)
    listed = "\n".join(f"  {command:<{width}}   {what}" for command, what in lines)
    return f"Examples:\n{listed}\n\n{EXITS.format(refused)}"
