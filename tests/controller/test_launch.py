"""A workload's container world becomes this machine's."""

from pathlib import Path

import pytest

from controller.local.launch import Launch, launch
from controller.workload import Workload, workload
from tests.controller.manifests import only_service, service

ENVIRON = {"PATH": "/usr/bin", "HOME": "/root", "PYTHONPATH": "/somewhere"}
PORTS = "ports: [{containerPort: 8080, name: http}, {containerPort: 9000, name: my-grpc}]"


def launched(container: str, python_env: Path | None = None) -> Launch:
    made = workload(only_service(service(f"containers: [{{{PORTS}, {container}}}]")), None, "v1")
    assert isinstance(made, Workload), made
    return launch(
        made,
        ports={8080: 41000, 9000: 42000},
        mounts={"/mnt/models": Path("/data/iris"), "/mnt/models/extra": Path("/data/x")},
        python_env=python_env,
        scratch=Path("/scratch"),
        environ=ENVIRON,
    )


WORDS = {
    "the first port": ("--port=$(PORT)", "--port=41000"),
    "a port by name": ("$(PORT_HTTP):$(PORT_MY_GRPC)", "41000:42000"),
    "a variable of the container": ("$(COLOUR)", "red"),
    "an unknown one stays": ("$(NOBODY)", "$(NOBODY)"),
    "an escaped one stays without its escape": ("$$(PORT)", "$(PORT)"),
    "a shell's variable is the shell's": ("$PORT ${PORT}", "$PORT ${PORT}"),
    "the model": ("--dir=/mnt/models", "--dir=/data/iris"),
    "below the model": ("/mnt/models/a.json", "/data/iris/a.json"),
    "the longer mount": ("/mnt/models/extra/b", "/data/x/b"),
    "not a name that only begins so": ("/mnt/models-old", "/mnt/models-old"),
}


@pytest.mark.parametrize(("word", "becomes"), WORDS.values(), ids=WORDS)
def test_words_of_the_command(word: str, becomes: str) -> None:
    result = launched(f"command: [run], args: ['{word}'], env: [{{name: COLOUR, value: red}}]")
    assert result.argv == ("run", becomes)


def test_a_variable_sees_those_before_it() -> None:
    container = (
        "command: [x], env: [{name: A, value: '$(PORT)'}, {name: B, value: 'a=$(A) c=$(C)'}, "
        "{name: C, value: /mnt/models}]"
    )
    env = launched(container).env
    assert (env["A"], env["B"], env["C"]) == ("41000", "a=41000 c=$(C)", "/data/iris")


def test_ports_are_ours_to_say() -> None:
    result = launched("command: [x, $(PORT)], env: [{name: PORT, value: '8080'}]")
    assert (result.env["PORT"], result.argv[1]) == ("41000", "41000")


def test_an_environment_of_its_own_comes_first_and_ours_does_not_reach_in() -> None:
    env = launched("command: [x]", Path("/envs/a")).env
    assert env["PATH"] == "/envs/a/bin:/usr/bin"
    assert env["HOME"] == "/root"
    assert "PYTHONPATH" not in env


def test_it_runs_in_a_folder_of_its_own_or_where_the_container_says() -> None:
    assert launched("command: [x]").folder == Path("/scratch")
    assert launched("command: [x], workingDir: /work").folder == Path("/work")
    assert launched("command: [x], workingDir: ./sub").folder == Path("/manifests/sub")
