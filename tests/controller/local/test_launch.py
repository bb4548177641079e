"""What a process gets when it starts: words, variables, ports and devices of this machine."""

from pathlib import Path

import pytest

from controller.local.launch import Launch, launch
from controller.local.replica import Port, ProcessSpec

ENVIRON = {"PATH": "/usr/bin", "HOME": "/root", "PYTHONPATH": "/somewhere"}


def launched(
    *argv: str,
    env: tuple[tuple[str, str], ...] = (),
    gpus: tuple[str, ...] = (),
    python_env: Path | None = None,
) -> Launch:
    spec = ProcessSpec(
        argv=argv,
        env=env,
        folder=Path("/scratch"),
        ports=(Port(8080, "http"), Port(9000, "my-grpc"), Port(9100)),
    )
    ports = {8080: 41000, 9000: 42000, 9100: 43000}
    return launch(spec, ports=ports, gpus=gpus, python_env=python_env, environ=ENVIRON)


WORDS = {
    "the first port": ("--port=$(PORT)", "--port=41000"),
    "a port by name": ("$(PORT_HTTP):$(PORT_MY_GRPC)", "41000:42000"),
    "a variable of the container": ("$(COLOUR)", "red"),
    "an unknown one stays": ("$(NOBODY)", "$(NOBODY)"),
    "an escaped one stays without its escape": ("$$(PORT)", "$(PORT)"),
    "a shell's variable is the shell's": ("$PORT ${PORT}", "$PORT ${PORT}"),
}


@pytest.mark.parametrize(("word", "becomes"), WORDS.values(), ids=WORDS)
def test_words_of_the_command(word: str, becomes: str) -> None:
    assert launched("run", word, env=(("COLOUR", "red"),)).argv == ("run", becomes)


def test_a_variable_sees_those_before_it() -> None:
    given = (("A", "$(PORT)"), ("B", "a=$(A) c=$(C)"), ("C", "late"), ("A", "again $(A)"))
    env = launched("x", env=given).env
    assert (env["A"], env["B"], env["C"]) == ("again 41000", "a=41000 c=$(C)", "late")


def test_ports_are_ours_to_say() -> None:
    result = launched("x", "$(PORT)", env=(("PORT", "8080"),))
    assert (result.env["PORT"], result.argv[1]) == ("41000", "41000")


def test_devices_are_ours_to_say_and_who_asked_for_none_sees_none() -> None:
    own = (("CUDA_VISIBLE_DEVICES", "0,1,2,3"),)
    assert launched("x", gpus=("GPU-a", "GPU-b"), env=own).env["CUDA_VISIBLE_DEVICES"] == (
        "GPU-a,GPU-b"
    )
    assert launched("x", env=own).env["CUDA_VISIBLE_DEVICES"] == ""


def test_an_environment_of_its_own_comes_first_and_ours_does_not_reach_in() -> None:
    env = launched("x", python_env=Path("/envs/a")).env
    assert env["PATH"] == "/envs/a/bin:/usr/bin"
    assert env["HOME"] == "/root"
    assert "PYTHONPATH" not in env


def test_without_ports_there_is_no_variable_for_them() -> None:
    spec = ProcessSpec(argv=("x", "$(PORT)"), folder=Path("/"))
    made = launch(spec, ports={}, gpus=(), python_env=None, environ={})
    assert made.argv == ("x", "$(PORT)")
    assert "PORT" not in made.env
