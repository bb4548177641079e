"""Which graphway a command talks to, and what it says when there is none to talk to."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.local.home import Home
from controller.running import Running, announced
from tests.cli.resources.conftest import Graphway, iris
from tests.kit.api_server import ApiServer

TOKEN = "a secret"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path, token=TOKEN).running() as running:
        yield running


@pytest.fixture
def deaf() -> Iterator[str]:
    """The URL of a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


class Stranger:
    """Answers one who connects with the same words, whatever is asked."""

    def __init__(self, listener: socket.socket, answer: bytes) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._listener = listener
        self._answer = answer

    def run(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._answer)


@contextmanager
def stranger(answer: bytes) -> Iterator[Stranger]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Stranger(listener, answer)
        thread = threading.Thread(target=found.run)
        thread.start()
        yield found
        thread.join()


COMMANDS = [
    ["get", "isvc"],
    ["describe", "isvc"],
    ["apply", "-f", "-"],
    ["delete", "isvc", "x"],
    ["logs", "x"],
    ["events"],
    ["stop", "x"],
    ["resume", "x"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_nothing_runs(graphway: Graphway, words: list[str]) -> None:
    done = graphway(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "no graphway runs here; start one with `graphway up PATH`, or name it (--server)\n"
    )


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_nobody_answers(graphway: Graphway, deaf: str, words: list[str]) -> None:
    done = graphway(*words, "--server", deaf, stdin=json.dumps(iris()))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"no answer from {deaf}: Connection refused; does it run?\n"


def test_several_run(server: ApiServer, graphway: Graphway, home: Path, deaf: str) -> None:
    with announced(Home(home), Running(deaf, os.getppid(), "/other/models")):
        done = graphway("get", "isvc")
        assert done.exit_code == 2
        first, *listed = done.stderr.splitlines()
        assert first == "several graphways run here; name one:"
        assert {line.split("   ")[0] for line in listed} == {
            f"  --server {deaf}",
            f"  --server {server.url}",
        }
        assert graphway("get", "isvc", "--server", server.url).exit_code == 0


def test_a_server_may_leave_out_its_scheme(server: ApiServer, graphway: Graphway) -> None:
    bare = server.url.removeprefix("http://")
    assert graphway("get", "isvc", "--server", bare).exit_code == 0


@pytest.mark.parametrize("url", ["ftp://x", "http://", "host:port", "http://x?y", ""])
def test_what_is_no_url_is_told(graphway: Graphway, url: str) -> None:
    done = graphway("get", "isvc", "--server", url)
    assert done.exit_code == 2
    assert done.stderr == f"{url!r} is no URL of a server; write it as http://127.0.0.1:9902\n"


def test_a_password_is_not_taken_in_a_url(graphway: Graphway) -> None:
    done = graphway("get", "isvc", "--server", "http://me:secret@localhost:9902")
    assert done.exit_code == 2
    assert done.stderr == "a URL with a password is not taken; GRAPHWAY_ADMIN_TOKEN is for it\n"


def test_the_token_is_found_with_the_server(guarded: ApiServer, graphway: Graphway) -> None:
    assert graphway("get", "isvc").exit_code == 0
    assert graphway("get", "isvc", "--server", guarded.url + "/").exit_code == 0


def test_elsewhere_the_token_comes_from_the_environment(
    guarded: ApiServer, graphway: Graphway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHWAY_HOME", str(tmp_path / "another machine"))
    done = graphway("get", "isvc", "--server", guarded.url)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith("; set GRAPHWAY_ADMIN_TOKEN\n")
    monkeypatch.setenv("GRAPHWAY_ADMIN_TOKEN", TOKEN)
    assert graphway("get", "isvc", "--server", guarded.url).exit_code == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 17\r\n\r\n{\"error\": \"none\"}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhel",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=["errors in another form", "no JSON", "cut short", "no HTTP", "nothing"],
)  # fmt: skip
def test_somebody_else_answers(graphway: Graphway, answer: bytes) -> None:
    with stranger(answer) as found:
        done = graphway("get", "isvc", "--server", found.url)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith((f"{found.url} answers, but", f"no answer from {found.url}"))
    assert len(done.stderr.splitlines()) == 1
