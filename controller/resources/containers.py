"""Questions about a container that several rooms ask."""

from controller.resources.core import Container


def env_value(container: Container, name: str) -> str | None:
    """The last one wins, as in a process."""
    return next((item.value for item in reversed(container.env) if item.name == name), None)


def argument(container: Container, flag: str) -> str | None:
    """The value of `--flag=value` or `--flag value`; the last one wins, as in argparse."""
    found = None
    for index, word in enumerate(container.args):
        if word.startswith(f"{flag}="):
            found = word.removeprefix(f"{flag}=")
        elif word == flag and index + 1 < len(container.args):
            found = container.args[index + 1]
    return found
