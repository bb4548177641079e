"""Settings: flags before environment before defaults; one line for each value that is wrong."""

from pathlib import Path
from typing import Any

import pytest

from router.config import DataPlaneConfig, Limits, LogConfig, UpstreamConfig
from router.settings import (
    BadSettings,
    Settings,
    misspelt,
    propagated_headers,
    read,
    setting_suffix,
    variable,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)


def test_defaults_are_those_of_the_data_plane() -> None:
    assert read({}).data_plane() == DataPlaneConfig()


def test_each_limit_and_upstream_value_is_a_setting() -> None:
    fields = {"limit_" + setting_suffix(name) for name in Limits.__struct_fields__}
    fields |= {"upstream_" + setting_suffix(name) for name in UpstreamConfig.__struct_fields__}
    assert fields <= set(Settings.model_fields)


@pytest.mark.parametrize(
    ("environment", "flags", "field", "value"),
    [
        pytest.param({"GRAPHWAY_PORT": "81"}, {}, "port", 81, id="from the environment"),
        pytest.param({"GRAPHWAY_PORT": "81"}, {"port": 82}, "port", 82, id="a flag is stronger"),
        pytest.param({"GRAPHWAY_PORT": "81"}, {"port": None}, "port", 81, id="a flag not given"),
        pytest.param({"GRAPHWAY_PORT": ""}, {}, "port", 8080, id="empty means default"),
        pytest.param(
            {"GRAPHWAY_PORT": "tcp://10.0.0.7:80"}, {}, "port", 8080, id="put there by Kubernetes"
        ),
        pytest.param({"GRAPHWAY_WATCH": "false"}, {}, "watch", False, id="a switch"),
        pytest.param(
            {"GRAPHWAY_WORKER_HANG_SECONDS": "0"}, {}, "worker_hang_seconds", 0.0, id="never"
        ),
        pytest.param(
            {"GRAPHWAY_LIMIT_BODY_BYTES": "5MiB"}, {}, "limit_body_bytes", 5 << 20, id="a size"
        ),
        pytest.param(
            {"GRAPHWAY_BINARY_TENSORS": "never, http://h:9000/=auto,default/iris=always"},
            {},
            "binary_tensors",
            {"": "never", "http://h:9000": "auto", "default/iris": "always"},
            id="some of many",
        ),
        pytest.param(
            {"GRAPHWAY_PASS_RESPONSE_HEADERS": "X-A, x-b,"},
            {},
            "pass_response_headers",
            ("X-A", "x-b"),
            id="a list by comma",
        ),
    ],
)
def test_where_a_value_comes_from(
    environment: dict[str, str],
    flags: dict[str, Any],
    field: str,
    value: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    assert getattr(read(flags), field) == value


@pytest.mark.parametrize(
    ("environment", "flags", "host"),
    [
        pytest.param({}, {}, "127.0.0.1", id="before the default of the setting"),
        pytest.param({"GRAPHWAY_HOST": ""}, {}, "127.0.0.1", id="empty means default"),
        pytest.param({"GRAPHWAY_HOST": "::"}, {}, "::", id="the environment is stronger"),
        pytest.param({"GRAPHWAY_HOST": "::"}, {"host": "h"}, "h", id="a flag is the strongest"),
    ],
)
def test_a_command_may_have_defaults_of_its_own(
    environment: dict[str, str], flags: dict[str, Any], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    assert read(flags, {"host": "127.0.0.1"}).host == host


@pytest.mark.parametrize(
    ("environment", "flags", "words"),
    [
        pytest.param({"WORKERS": "many"}, {}, ["GRAPHWAY_WORKERS='many'", "integer"], id="no int"),
        pytest.param({"WORKERS": "0"}, {}, ["GRAPHWAY_WORKERS='0'", "greater"], id="no worker"),
        pytest.param({"PORT": "70000"}, {}, ["GRAPHWAY_PORT", "65535"], id="no such port"),
        pytest.param({}, {"admin_port": -1}, ["--admin-port=-1", "greater"], id="a bad flag"),
        pytest.param({"LOG_LEVEL": "loud"}, {}, ["'debug', 'info'"], id="the choices are listed"),
        pytest.param({"DEFAULT_GRAPH": "iris"}, {}, ["NAMESPACE/NAME"], id="graph without ns"),
        pytest.param({"DRAIN_SECONDS": "-1"}, {}, ["GRAPHWAY_DRAIN_SECONDS"], id="negative time"),
        pytest.param({"DRAIN_SECONDS": "nan"}, {}, ["GRAPHWAY_DRAIN_SECONDS"], id="no time at all"),
        pytest.param(
            {"WORKER_HANG_SECONDS": "2"}, {}, ["0 (never) or at least 3"], id="below the pulse"
        ),
        pytest.param({"LIMIT_BODY_BYTES": "5 zz"}, {}, ["byte unit"], id="unknown unit"),
        pytest.param({"BINARY_TENSORS": "yes"}, {}, ["always or never", "GET /v2"], id="a word"),
        pytest.param({"BINARY_TENSORS": "iris=never"}, {}, ["NAMESPACE/NAME=..."], id="whom"),
        pytest.param({"COMPAT": "knative"}, {}, ["GRAPHWAY_COMPAT", "'kserve'"], id="compat"),
    ],
)
def test_a_bad_value_is_one_line_that_says_what_is_allowed(
    environment: dict[str, str],
    flags: dict[str, Any],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in environment.items():
        monkeypatch.setenv("GRAPHWAY_" + name, text)
    with pytest.raises(BadSettings) as raised:
        read(flags)
    (line,) = raised.value.lines
    assert "\n" not in line
    for word in words:
        assert word in line


def test_all_bad_values_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_WORKERS", "x")
    monkeypatch.setenv("GRAPHWAY_COMPAT", "x")
    with pytest.raises(BadSettings) as raised:
        read({"port": "x"})
    assert len(raised.value.lines) == 3


def test_what_workers_get() -> None:
    settings = read(
        {
            "compat": "kserve",
            "log_level": "error",
            "access_log": False,
            "limit_head_timeout_seconds": 3,
            "upstream_idle_timeout_seconds": 2.5,
            "limit_body_bytes": "1KiB",
            "default_graph": "ns/iris",
        }
    )
    assert settings.data_plane(propagate_headers=("X-.*",), terminal=True) == DataPlaneConfig(
        limits=Limits(head_timeout_s=3.0, body_bytes=1024),
        upstream=UpstreamConfig(idle_timeout_s=2.5),
        log=LogConfig(level="error", access=False, format="text"),
        propagate_headers=("X-.*",),
        compat=True,
        default_graph="ns/iris",
    )


@pytest.mark.parametrize(
    ("environment", "patterns", "warnings"),
    [
        pytest.param({}, [], 0, id="absent: nothing propagates"),
        pytest.param({"PROPAGATE_HEADERS": ""}, [""], 0, id="empty: one pattern, that fits all"),
        pytest.param(
            {"PROPAGATE_HEADERS": "X-.*,Authorization"}, ["X-.*", "Authorization"], 0, id="two"
        ),
        pytest.param(
            {"PROPAGATE_HEADERS": "*Trace-Id*,X-User"}, ["X-User"], 1, id="a bad one is left out"
        ),
        pytest.param(
            {"PROPAGATE_HEADERS": r"(?=x),(a)\1"}, [], 2, id="Go knows no look-ahead, no references"
        ),
        pytest.param({"PROPAGATE_HEADERS": "a, b"}, ["a", " b"], 0, id="spaces belong to patterns"),
    ],
)
def test_propagated_headers(
    environment: dict[str, str], patterns: list[str], warnings: int
) -> None:
    found, said = propagated_headers(environment)
    assert (found, len(said)) == (patterns, warnings)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("GRAPHWAY_WORKER", "GRAPHWAY_WORKERS", id="a letter is missing"),
        pytest.param("GRAPHWAY_LIMIT_BODY_BYTE", "GRAPHWAY_LIMIT_BODY_BYTES", id="a long one"),
        pytest.param("GRAPHWAY_HOME", None, id="belongs to another room"),
        pytest.param("GRAPHWAY_SERVICE_HOST", None, id="put there by Kubernetes"),
        pytest.param("OTHER", None, id="not ours"),
    ],
)
def test_a_misspelt_variable_gets_a_hint(name: str, hint: str | None) -> None:
    said = misspelt({name: "1", "GRAPHWAY_WORKERS": "2"})
    assert [hint in line for line in said if hint] == ([True] if hint else [])
    assert len(said) == (hint is not None)


def test_the_documented_settings_are_the_settings() -> None:
    text = (ROOT / "docs/settings.md").read_text().partition("\n## ")[0]
    rows = [line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("| `G")]
    assert rows == [variable(field) for field in Settings.model_fields]
    for name, field in Settings.model_fields.items():
        assert field.description is not None
        assert field.description in text, f"{name}: copy its description to docs/settings.md"
