"""`serve` and `up` with what they cannot use: one clear line each, which says how to mend it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.manifests import graph

PROJECT = Path(__file__).parents[2]
GRAPH = graph("g", "Sequence", {"serviceUrl": "http://127.0.0.1:9"})
FREE = ("--port", "0", "--admin-port", "0", "--workers", "1")
# root without what makes it root
UNPRIVILEGED = ("setpriv", "--bounding-set=-all") if os.getuid() == 0 else ()
FAILED, USAGE = 1, 2


def run(folder: Path, *arguments: str, before: tuple[str, ...] = ()) -> tuple[int, list[str]]:
    """Exit code and lines of a command in this folder, which ends by itself."""
    ran = subprocess.run(
        [*before, sys.executable, "-m", "cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "GRAPHWAY_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "g.yaml").write_text(GRAPH)
    return tmp_path


@contextmanager
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize("command", ["serve", "up"])
@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        pytest.param(
            ("none.yaml",),
            FAILED,
            "none.yaml:1:1: error unreadable-path: cannot be read: No such file or directory; "
            "give a file or folder that this user may read",
            id="a file that is not there",
        ),
        pytest.param(
            ("g.yaml", "--default-graph", "test/other"),
            FAILED,
            "--default-graph test/other: no such graph; choose one of test/g",
            id="an unknown default graph",
        ),
        pytest.param(
            ("g.yaml", "--default-graph", "g"),
            USAGE,
            "--default-graph='g': it should be NAMESPACE/NAME, as in default/iris.",
            id="a default graph without namespace",
        ),
        pytest.param(
            ("g.yaml", "--service", "iris"),
            USAGE,
            "--service iris: write NAME=URL or NAMESPACE/NAME=URL, as in "
            "--service iris=http://127.0.0.1:9000",
            id="a service without URL",
        ),
        pytest.param(
            ("g.yaml", "--service", "iris=ftp://h"),
            USAGE,
            "--service iris=ftp://h: not an http, https, grpc or grpcs URL: 'ftp://h'; write http://HOST:PORT",
            id="a service that is not called by HTTP",
        ),
        pytest.param(
            ("g.yaml", "--host", "no.such.host.invalid"),
            FAILED,
            "cannot listen on 'no.such.host.invalid'",
            id="a host that nobody knows",
        ),
    ],
)
def test_one_line(
    command: str, arguments: tuple[str, ...], code: int, line: str, folder: Path
) -> None:
    ended, said = run(folder, command, *FREE, *arguments)
    assert ended == code
    (only,) = said
    assert only.startswith(line)


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_port_in_use(command: str, folder: Path) -> None:
    with taken() as port:
        flags = (*FREE, "--host", "127.0.0.1", "--port", port)
        ended, (*_, line) = run(folder, command, *flags, "g.yaml")
    assert ended == FAILED
    assert line == (
        f"cannot listen on 127.0.0.1:{port}: address already in use; "
        "--port chooses another port, --port 0 a free one"
    )


@pytest.mark.parametrize("command", ["serve", "up"])
def test_every_fault_of_the_command_line_is_said_at_once(command: str, folder: Path) -> None:
    flags = ("--port", "70000", "--log-level", "loud", "--service", "a", "--service", "b")
    ended, said = run(folder, command, "g.yaml", *flags)
    assert ended == USAGE
    assert [line.partition("=")[0].partition(":")[0] for line in said] == [
        *("--port", "--log-level", "--service a", "--service b")
    ]


def test_a_uri_map_without_a_folder(folder: Path) -> None:
    ended, (line,) = run(folder, "up", "g.yaml", *FREE, "--uri-map", "gs://models")
    assert ended == USAGE
    assert line.startswith("'gs://models' does not map a URI prefix to a folder; write PREFIX=")


def test_a_home_that_cannot_be_made(folder: Path) -> None:
    (folder / "home").touch()
    ended, (line,) = run(folder, "up", "g.yaml", *FREE)
    assert ended == FAILED
    assert line == (
        f"{folder / 'home'}: cannot write there: Not a directory; "
        "GRAPHWAY_HOME chooses another folder"
    )


@pytest.mark.skipif(
    os.getuid() == 0 and not shutil.which("setpriv"), reason="root may do everything"
)
def test_what_this_user_may_not(folder: Path) -> None:
    """An unreadable file, and a port below 1024."""
    (folder / "secret.yaml").write_text(GRAPH)
    (folder / "secret.yaml").chmod(0)
    ended, (line,) = run(folder, "serve", "secret.yaml", *FREE, before=UNPRIVILEGED)
    assert ended == FAILED
    assert "cannot be read: Permission denied; give a file" in line
    first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not first.exists() or int(first.read_text()) <= 80:
        pytest.skip("any user may listen on port 80 here")
    flags = (*FREE, "--host", "127.0.0.1", "--port", "80")
    ended, (line,) = run(folder, "serve", "g.yaml", *flags, before=UNPRIVILEGED)
    assert ended == FAILED
    assert line == (
        "cannot listen on 127.0.0.1:80: permission denied; "
        "ports below 1024 need a privilege, --port chooses another"
    )
