"""The Dockerfile compared with the code and the locks, and with what a pod demands of an image."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.settings import PREFIX, Settings, read, variable
from tests.deploy.dockerfile import Dockerfile

ROOT = Path(__file__).parents[2]
KUBERNETES_GRACE_S = 30  # of a pod that says nothing else, as KServe's router pods
IMAGE = Dockerfile.read(ROOT / "Dockerfile")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def copied() -> list[str]:
    """What the stages take from the build context."""
    return [
        source
        for stage in IMAGE.stages
        for instruction in stage.all("COPY")
        if not instruction.text.startswith("--from=")
        for source in instruction.words[:-1]
    ]


def installs() -> Iterator[str]:
    for stage in IMAGE.stages:
        for instruction in stage.all("RUN"):
            yield from re.findall(r"pip\S*(?: --python \S+)? install[^&]*", instruction.text)


def test_the_entry_point_is_a_process_of_its_own_and_takes_kserves_arguments() -> None:
    assert IMAGE.final.json("ENTRYPOINT") == ["graphway", "serve"]  # exec form: SIGTERM arrives
    assert "graphway" in PROJECT["project"]["scripts"]
    assert not IMAGE.final.all("CMD")


def test_the_user_is_a_number_other_than_root() -> None:
    user, group = IMAGE.final.last("USER").text.split(":")
    assert int(user) > 0
    assert int(group) > 0
    names = [one.name for one in IMAGE.final.instructions]
    assert not {"RUN", "COPY"} & set(names[names.index("USER") :])  # root owns all that it runs


def test_exposed_are_the_ports_of_the_settings() -> None:
    fields = Settings.model_fields
    ports = {str(fields[name].default) for name in ("port", "grpc_port", "admin_port")}
    assert set(IMAGE.final.last("EXPOSE").words) == ports


def test_environment_is_settings_with_good_values(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {key: value for key, value in IMAGE.final.env.items() if key.startswith(PREFIX)}
    assert set(ours) <= {variable(name) for name in Settings.model_fields}
    for key, value in ours.items():
        monkeypatch.setenv(key, value)
    assert read({}).drain_seconds + 10 <= KUBERNETES_GRACE_S
    assert IMAGE.final.env["PYTHONDONTWRITEBYTECODE"]


def test_packages_come_as_wheels_by_hash_and_only_our_own_without() -> None:
    locks = []
    for install in installs():
        if lock := re.search(r"-r (\S+)", install):
            assert {"--require-hashes", "--only-binary"} <= set(install.split())
            locks.append(lock[1])
        else:
            assert {"--no-deps", "--no-index", "/wheels/*.whl"} <= set(install.split())
    assert sorted(locks) == ["requirements-build.lock", "requirements.lock"]


def test_the_build_tool_is_locked() -> None:
    lock = (ROOT / "requirements-build.lock").read_text()
    for requirement in PROJECT["build-system"]["requires"]:
        name = re.split(r"[<>=~!]", requirement)[0]
        assert re.search(rf"^{name}==\S+ \\\n +--hash=sha256:", lock, re.MULTILINE)


def test_the_last_stage_installs_nothing() -> None:
    commands = " ".join(one.text for one in IMAGE.final.all("RUN"))
    assert not re.search(r"\b(apt|apt-get|pip|gcc|curl)\b", commands)


def test_the_last_stage_gets_only_what_the_build_made() -> None:
    (copy,) = IMAGE.final.all("COPY")
    assert copy.words == ["--from=build", "/opt/graphway", "/opt/graphway"]


def test_the_builder_is_given_exactly_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied())


def test_the_wheel_gets_all_its_packages_and_files() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = [PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]]
    assert {*packages, *files, "pyproject.toml"} <= set(copied())


def test_the_version_is_that_of_the_project() -> None:
    labels = dict(word.split("=", 1) for word in IMAGE.final.last("LABEL").words)
    assert labels["org.opencontainers.image.version"] == PROJECT["project"]["version"]
    assert labels["org.opencontainers.image.licenses"] == PROJECT["project"]["license"]
