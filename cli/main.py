"""Where the process begins: it listens to signals before anything else takes its time.

For process 1 of a container the kernel throws away a SIGTERM that nobody handles yet, and whoever
stops the container waits until it is killed. So this file imports next to nothing.
"""

import os
import signal
from importlib import import_module
from types import FrameType


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)  # until a command has its own way to end
    import_module("cli.commands").app()


def _end(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
