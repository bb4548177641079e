"""Settings of the local backend, each an environment variable; `docs/settings.md` lists them."""

from pydantic import ByteSize, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from controller.local.backoff import Backoff
from controller.local.logfile import LogLimits


class LocalSettings(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, populate_by_name=True)

    restart_first_seconds: float = Field(
        default=10.0, gt=0, allow_inf_nan=False, validation_alias="GRAPHWAY_RESTART_FIRST_SECONDS"
    )
    restart_longest_seconds: float = Field(
        default=300.0,
        gt=0,
        allow_inf_nan=False,
        validation_alias="GRAPHWAY_RESTART_LONGEST_SECONDS",
    )
    restart_reset_seconds: float = Field(
        default=600.0, gt=0, allow_inf_nan=False, validation_alias="GRAPHWAY_RESTART_RESET_SECONDS"
    )
    log_file_bytes: ByteSize = Field(
        default=ByteSize(10 * 2**20), ge=1024, validation_alias="GRAPHWAY_LOG_FILE_BYTES"
    )
    log_files: int = Field(default=5, ge=1, le=1000, validation_alias="GRAPHWAY_LOG_FILES")
    memory_watch_seconds: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, validation_alias="GRAPHWAY_MEMORY_WATCH_SECONDS"
    )
    models_limit: ByteSize | None = Field(
        default=None, ge=1, validation_alias="GRAPHWAY_MODELS_LIMIT"
    )
    revisions_kept: int = Field(
        default=10, ge=1, le=1000, validation_alias="GRAPHWAY_REVISIONS_KEPT"
    )
    replica_drain_seconds: float = Field(
        default=30.0, ge=0, allow_inf_nan=False, validation_alias="GRAPHWAY_REPLICA_DRAIN_SECONDS"
    )

    model_load_seconds: float = Field(
        default=300.0, gt=0, allow_inf_nan=False, validation_alias="GRAPHWAY_MODEL_LOAD_SECONDS"
    )

    @property
    def backoff(self) -> Backoff:
        return Backoff(
            self.restart_first_seconds, self.restart_longest_seconds, self.restart_reset_seconds
        )

    @property
    def log_limits(self) -> LogLimits:
        return LogLimits(self.log_file_bytes, self.log_files)


def faults() -> list[str]:
    """What is wrong with them in the environment, a line each."""
    try:
        LocalSettings()
    except ValidationError as error:
        return [
            f"{fault['loc'][0]}={fault['input']!r}: "
            + fault["msg"].replace("Input should", "it should")
            for fault in error.errors()
        ]
    return []
