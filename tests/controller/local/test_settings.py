"""Settings of the local backend: from the environment, and every fault at once."""

import pytest

from controller.local.backoff import Backoff
from controller.local.logfile import LogLimits
from controller.local.settings import LocalSettings, faults


def test_defaults_are_those_of_what_they_set() -> None:
    settings = LocalSettings()
    assert settings.backoff == Backoff()
    assert settings.log_limits == LogLimits()
    assert faults() == []


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_LOG_FILE_BYTES", "5MiB")
    monkeypatch.setenv("GRAPHWAY_RESTART_FIRST_SECONDS", "1")
    monkeypatch.setenv("GRAPHWAY_RESTART_LONGEST_SECONDS", "60")
    monkeypatch.setenv("GRAPHWAY_RESTART_RESET_SECONDS", "")
    settings = LocalSettings()
    assert settings.log_limits == LogLimits(5 * 2**20, 5)
    assert settings.backoff == Backoff(1, 60, 600)


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_LOG_FILES", "many")
    monkeypatch.setenv("GRAPHWAY_MEMORY_WATCH_SECONDS", "0")
    first, second = faults()
    assert first.startswith("GRAPHWAY_LOG_FILES='many': it should be a valid integer")
    assert second == "GRAPHWAY_MEMORY_WATCH_SECONDS='0': it should be greater than 0"
