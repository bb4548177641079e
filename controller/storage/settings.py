"""Settings of fetching, from variables GRAPHWAY_STORAGE_<NAME>; `docs/storage.md` has this table,
and a test keeps it so.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, ValidationError

PREFIX = "GRAPHWAY_STORAGE_"

MIB = 1024 * 1024
GIB = 1024 * MIB

Count = Annotated[int, Field(ge=1, le=1024)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Size = Annotated[ByteSize, Field(ge=1)]


def _folders(value: object) -> object:
    """`models=/srv/models, data=/srv/data`, as mappings are written in environment variables."""
    if not isinstance(value, str):
        return value
    folders = {}
    for entry in filter(str.strip, value.split(",")):
        claim, _, folder = entry.strip().partition("=")
        if not claim or not folder:
            raise ValueError(f"it should be CLAIM=FOLDER, by comma if several; found {entry!r}")
        folders[claim] = Path(folder).absolute()
    return folders


class StorageSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    volumes: Annotated[Mapping[str, Path], BeforeValidator(_folders)] = Field(
        {}, description="Folders of this machine that stand for volumes: `CLAIM=FOLDER,...`."
    )
    parallel: Count = Field(8, description="Connections of one download.")
    part_size: Size = Field(
        ByteSize(16 * MIB), description="Larger files are fetched in parts of this size."
    )
    attempts: Count = Field(
        6, description="Tries in a row that bring nothing before a download has failed."
    )
    backoff_seconds: Seconds = Field(
        0.5, description="Pause after the first failed try; it doubles with each further one."
    )
    connect_seconds: Seconds = Field(15.0, description="Limit for connecting.")
    stall_seconds: Seconds = Field(30.0, description="A connection silent for so long is broken.")
    command_seconds: Seconds = Field(
        21_600.0, description="Limit for the command of a StorageContainer."
    )
    unpacked_size: Size = Field(
        ByteSize(256 * GIB), description="What an archive may unpack to, in all."
    )
    unpacked_ratio: Count = Field(
        200, description="What an archive may unpack to, as a multiple of its own size."
    )
    unpacked_files: int = Field(
        100_000, ge=1, description="Files and folders that an archive may hold."
    )
    instance_credentials: bool = Field(
        False,
        description="Without other credentials ask the cloud's metadata service, as virtual "
        "machines of that cloud can; else such requests are anonymous.",
    )


def read_settings(environ: Mapping[str, str]) -> StorageSettings | list[str]:
    """Every value that is no good, with its variable."""
    given = {
        name: environ[PREFIX + name.upper()]
        for name in StorageSettings.model_fields
        if environ.get(PREFIX + name.upper())
    }
    try:
        return StorageSettings.model_validate(given)
    except ValidationError as error:
        return [
            f"{PREFIX}{str(fault['loc'][0]).upper()}: "
            + str(fault["msg"]).removeprefix("Value error, ")
            for fault in error.errors(include_url=False)
        ]
