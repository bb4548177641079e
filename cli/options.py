"""What `serve` and `up` share on the command line: the options that are settings, read at once.

An option whose name is that of a setting gives it; one that was not given leaves it to the
environment. Nothing here loads manifests or starts anything.
"""

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer

from router import log, settings
from router.config import DataPlaneConfig
from router.services import GivenService
from router.settings import Settings

FAILED, USAGE = 1, 2


def setting(name: str, default: str, words: str | None = None) -> Any:
    """An option with the words of the setting, unless shorter ones do."""
    help_text = words or str(Settings.model_fields[name].description).rstrip(".")
    return typer.Option(help=f"{help_text} ({default}).")


Host = Annotated[str | None, setting("host", "0.0.0.0")]
Port = Annotated[int | None, setting("port", "8080")]
AdminHost = Annotated[str | None, setting("admin_host", "127.0.0.1")]
AdminPort = Annotated[int | None, setting("admin_port", "9902")]
Workers = Annotated[int | None, setting("workers", "usable cores", "Worker processes")]
GrpcPort = Annotated[int | None, setting("grpc_port", "8081", "gRPC port")]
GrpcWorkers = Annotated[
    int | None, setting("grpc_workers", "1", "Further processes, for gRPC; 0: no gRPC")
]
LogLevel = Annotated[
    str | None, setting("log_level", "info", "Least level: debug, info, warning or error")
]
DrainSeconds = Annotated[
    float | None, setting("drain_seconds", "30", "Still accepting after SIGTERM")
]
Watch = Annotated[
    bool | None,
    typer.Option("--watch/--no-watch", help="Reload graphs when files change (watch)."),
]
DefaultGraph = Annotated[
    str | None,
    typer.Option(metavar="NS/NAME", help="Answers what no path or Host leads to."),
]
Services = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=URL", help="Where a serviceName is (NAME or NS/NAME). Repeat."),
]


def epilog(*further: str) -> str:
    """All settings, for `--help`."""
    fields = Settings.model_fields
    lines = [f"{settings.variable(name)}: {field.description}" for name, field in fields.items()]
    lines.append("PROPAGATE_HEADERS: as for KServe's router, regular expressions by comma.")
    return "Settings by environment (a flag is stronger):\n\n" + "\n\n".join((*lines, *further))


def read(
    options: Mapping[str, Any],
    services: Iterable[str] | None,
    defaults: Mapping[str, Any] | None = None,
) -> tuple[Settings, list[GivenService]]:
    """Settings and `--service`s, or the end with a line for each that cannot be used.

    `options` are all of the command, `defaults` are weaker than the environment.
    """
    flags = {name: value for name, value in options.items() if name in Settings.model_fields}
    faults: list[str] = []
    given: list[GivenService] = []
    for text in services or ():
        try:
            given.append(GivenService.parse(text))
        except ValueError as bad:
            faults.append(str(bad))
    try:
        found = settings.read(flags, defaults or {})
    except settings.BadSettings as bad:
        fail(USAGE, [*bad.lines, *faults])
    if faults:
        fail(USAGE, faults)
    return found, given


def configure(read: Settings) -> DataPlaneConfig:
    """The log of this process, warnings about the environment, and what workers need."""
    log.configure(read.log_level, read.format_on(sys.stderr.isatty()))
    patterns, warnings = settings.propagated_headers()
    for warning in (*warnings, *settings.misspelt()):
        logging.getLogger("graphway.settings").warning(warning)
    return read.data_plane(propagate_headers=tuple(patterns), terminal=sys.stdout.isatty())


def fail(code: int, lines: Sequence[str]) -> NoReturn:
    for line in lines:
        print(line, file=sys.stderr)
    raise typer.Exit(code)
