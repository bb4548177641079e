"""The access log: what a line says, and that every line arrives whole or is counted as lost."""

import asyncio
import fcntl
import json
import os
import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.document import Document
from graph.effects import Decision, Failure, FailureKind
from router import access_log
from router.access_log import AccessLog, Line, Stamp, as_json, as_text, line_of
from router.messages import Head, Request, Response
from router.plans import Service
from tests.scripts import plan, sequence, step

PLAN = plan(sequence(step("a")))
AT = "2026-11-21T04:05:06.789Z"


def request(path: bytes = b"/graphs/test/g", request_id: bytes = b"r-1") -> Request:
    made = Request(Head(b"POST", path, b"", ()), Document(b'{"x":1}'))
    made.request_id = request_id
    made.client = "10.0.0.1"
    made.plan = PLAN
    return made


def decided() -> Request:
    made = request()
    made.decisions.append(Decision("test/g/by_kind", "dog", "Switch", condition="x"))
    made.decisions.append(Decision("test/g/try_out", "new", "Splitter", point=0.95))
    made.decisions.append(Decision("test/g/all", "big, small", "Partial"))
    return made


def failed(kind: FailureKind, address: str, cause: str) -> Request:
    made = request()
    made.failure = Failure(kind, cause, address)
    return made


def lost() -> Request:
    made = request(b"/nowhere")
    made.plan = None
    return made


def for_a_service() -> Request:
    made = request(b"/services/test/iris/v1/models/iris")
    made.plan = None
    made.service = Service.of("test/iris")
    made.revision = "iris-00002"
    return made


OK = Response(200, (), b'{"y":2}')

GOLDEN = {
    "a plain request": (
        request,
        OK,
        '{"time":"2026-11-21T04:05:06.789Z","level":"info","event":"request","graph":"test/g",'
        f'"revision":"{PLAN.revision}","method":"POST","path":"/graphs/test/g","status":200,'
        '"duration_ms":1.25,"bytes_in":7,"bytes_out":7,"request_id":"r-1","client":"10.0.0.1"}',
        f"04:05:06.789  200      1.25 ms  POST  /graphs/test/g  test/g@{PLAN.revision}  r-1",
    ),
    "a service without a graph": (
        for_a_service,
        OK,
        '{"time":"2026-11-21T04:05:06.789Z","level":"info","event":"request",'
        '"revision":"iris-00002","method":"POST","path":"/services/test/iris/v1/models/iris",'
        '"status":200,"duration_ms":1.25,"bytes_in":7,"bytes_out":7,"request_id":"r-1",'
        '"client":"10.0.0.1","service":"test/iris"}',
        "04:05:06.789  200      1.25 ms  POST  /services/test/iris/v1/models/iris"
        "  test/iris@iris-00002  r-1",
    ),
    "with decisions": (
        decided,
        OK,
        '{"time":"2026-11-21T04:05:06.789Z","level":"info","event":"request","graph":"test/g",'
        f'"revision":"{PLAN.revision}","method":"POST","path":"/graphs/test/g","status":200,'
        '"duration_ms":1.25,"bytes_in":7,"bytes_out":7,"request_id":"r-1","client":"10.0.0.1",'
        '"decisions":{"test/g/by_kind":"dog","test/g/try_out":"new",'
        '"test/g/all":"without big, small"}}',
        f"04:05:06.789  200      1.25 ms  POST  /graphs/test/g  test/g@{PLAN.revision}"
        "  by_kind=dog try_out=new all=without big, small  r-1",
    ),
    "a failed step": (
        lambda: failed(FailureKind.TIMEOUT, "test/g/root/a", "a.test: no answer within 1 s"),
        Response(504, (), b"{}"),
        '{"time":"2026-11-21T04:05:06.789Z","level":"warning","event":"request","graph":"test/g",'
        f'"revision":"{PLAN.revision}","method":"POST","path":"/graphs/test/g","status":504,'
        '"duration_ms":1.25,"bytes_in":7,"bytes_out":2,"request_id":"r-1","client":"10.0.0.1",'
        '"failed":"test/g/root/a","kind":"timeout","cause":"a.test: no answer within 1 s"}',
        f"04:05:06.789  504      1.25 ms  POST  /graphs/test/g  test/g@{PLAN.revision}"
        "  timeout at test/g/root/a: a.test: no answer within 1 s  r-1",
    ),
    "a failure of the whole": (
        lambda: failed(FailureKind.DEADLINE, "", "no answer within 5 s"),
        Response(504),
        '{"time":"2026-11-21T04:05:06.789Z","level":"warning","event":"request","graph":"test/g",'
        f'"revision":"{PLAN.revision}","method":"POST","path":"/graphs/test/g","status":504,'
        '"duration_ms":1.25,"bytes_in":7,"bytes_out":0,"request_id":"r-1","client":"10.0.0.1",'
        '"kind":"deadline","cause":"no answer within 5 s"}',
        f"04:05:06.789  504      1.25 ms  POST  /graphs/test/g  test/g@{PLAN.revision}"
        "  deadline at -: no answer within 5 s  r-1",
    ),
    "no graph": (
        lost,
        Response(404),
        '{"time":"2026-11-21T04:05:06.789Z","level":"info","event":"request","graph":"",'
        '"revision":"","method":"POST","path":"/nowhere","status":404,'
        '"duration_ms":1.25,"bytes_in":7,"bytes_out":0,"request_id":"r-1","client":"10.0.0.1"}',
        "04:05:06.789  404      1.25 ms  POST  /nowhere  r-1",
    ),
}


def line(request: Request, response: Response = OK) -> Line:
    return line_of(request, response, AT, 0.0012503)


@pytest.mark.parametrize("name", GOLDEN)
def test_json(name: str) -> None:
    make, response, expected, _ = GOLDEN[name]
    assert as_json(line(make(), response)).decode() == expected + "\n"


@pytest.mark.parametrize("name", GOLDEN)
def test_text(name: str) -> None:
    make, response, _, expected = GOLDEN[name]
    assert as_text(line(make(), response)).decode() == expected + "\n"


LEVELS = {
    FailureKind.NO_MATCH: "info",
    FailureKind.RESET: "warning",
    FailureKind.INTERNAL: "error",
}


@pytest.mark.parametrize("kind", LEVELS)
def test_the_level_is_the_failures(kind: FailureKind) -> None:
    assert line(failed(kind, "", "why")).level == LEVELS[kind]


@given(
    st.text(),
    st.text(),
    st.text(),
    st.binary().map(lambda raw: bytes(byte & 0x7F for byte in raw)),
)
def test_no_name_cause_or_path_breaks_a_line(
    node: str, step_name: str, cause: str, path: bytes
) -> None:
    made = request(path)
    made.decisions.append(Decision(node, step_name, "Switch"))
    made.failure = Failure(FailureKind.PROTOCOL, cause, node)
    written = as_json(line(made))
    assert written.endswith(b"}\n")
    assert written.count(b"\n") == 1
    read = json.loads(written)
    assert (read["decisions"], read.get("cause", "")) == ({node: step_name}, cause)
    text = as_text(line(made)).decode()
    assert text.endswith("\n")
    assert text[:-1].isprintable()


def test_text_cannot_steer_a_terminal() -> None:
    made = failed(FailureKind.PROTOCOL, "", "bad\x1b[2J\nforged \u202e line")
    assert rb"bad\x1b[2J\nforged \u202e line" in as_text(line(made))


def test_a_long_path_is_cut() -> None:
    assert line(request(b"/" + b"x" * 70_000)).path == "/" + "x" * 1023
    assert len(as_json(line(request(b'/"' * 40_000)))) < select.PIPE_BUF


def test_times() -> None:
    now = [1_700_000_000.0]
    stamp = Stamp(lambda: now[0])
    assert stamp() == "2023-11-14T22:13:20.000Z"
    now[0] += 0.9994
    assert stamp() == "2023-11-14T22:13:20.999Z"
    now[0] = 1_700_000_001.0625
    assert stamp() == "2023-11-14T22:13:21.062Z"
    now[0] = 1_699_999_999.5
    assert stamp() == "2023-11-14T22:13:19.500Z"


# writing


class Pipe:
    """A pipe with a reader that reads when it is told to."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()

    def close_reader(self) -> None:
        os.close(self.read_end)
        self.read_end = -1

    def close(self) -> None:
        os.close(self.write_end)
        if self.read_end >= 0:
            os.close(self.read_end)

    def read_in_thread(self) -> "Callable[[], list[bytes]]":
        """Reads to the end of all writers; what is returned waits for that and gives the lines."""
        pieces: list[bytes] = []

        def read() -> None:
            while piece := os.read(self.read_end, 1000):
                pieces.append(piece)

        reader = threading.Thread(target=read)
        reader.start()

        def lines() -> list[bytes]:
            os.close(self.write_end)
            reader.join(30)
            assert not reader.is_alive()
            self.write_end = os.dup(self.read_end)  # for `close`
            return b"".join(pieces).splitlines(keepends=True)

        return lines


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


class Losses:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def test_lines_arrive_in_order(pipe: Pipe) -> None:
    lines = pipe.read_in_thread()
    losses = Losses()
    log = AccessLog(pipe.write_end, as_json, losses, asyncio.get_running_loop())
    for index in range(5000):
        log.record(request(request_id=b"r-%d" % index), OK)
    log.close(30)
    assert [json.loads(each)["request_id"] for each in lines()] == [f"r-{i}" for i in range(5000)]
    assert losses.count == 0


async def test_a_line_goes_out_by_itself(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "FLUSH_S", 0.001)
    loop = asyncio.get_running_loop()
    log = AccessLog(pipe.write_end, as_json, Losses(), loop)
    arrived = asyncio.Event()
    loop.add_reader(pipe.read_end, arrived.set)
    log.record(request(), OK)
    async with asyncio.timeout(30):
        await arrived.wait()
    loop.remove_reader(pipe.read_end)
    assert json.loads(os.read(pipe.read_end, 4096))["request_id"] == "r-1"
    log.close(30)


async def test_closing_writes_out_what_is_left(pipe: Pipe) -> None:
    log = AccessLog(pipe.write_end, as_text, Losses(), asyncio.get_running_loop())
    log.record(request(), OK)
    log.close(30)
    assert os.read(pipe.read_end, 4096).endswith(b"  r-1\n")


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
async def test_two_writers_of_one_pipe_never_mix_their_lines(pipe: Pipe, blocking: bool) -> None:
    """Two workers write to the same standard output; lines of up to 2 KB."""
    if not blocking:
        os.set_blocking(pipe.write_end, False)
    lines = pipe.read_in_thread()
    losses = Losses()
    loop = asyncio.get_running_loop()
    logs = [AccessLog(pipe.write_end, as_json, losses, loop) for _ in range(2)]
    for index in range(2000):
        for log in logs:
            log.record(request(b"/" + b"x" * (index * 37 % 1000)), OK)
    for log in logs:
        log.close(30)
    read = lines()
    assert len(read) == 4000
    for each in read:
        json.loads(each)


async def test_what_a_reader_that_stopped_does_not_take_is_counted(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop never waits: lines beyond the backlog are dropped; all others arrive later."""
    monkeypatch.setattr(access_log, "BACKLOG_BYTES", 100_000)
    fcntl.fcntl(pipe.write_end, fcntl.F_SETPIPE_SZ, 4096)
    losses = Losses()
    log = AccessLog(pipe.write_end, as_json, losses, asyncio.get_running_loop())
    for _ in range(3000):
        log.record(request(), OK)
    assert losses.count > 0
    lines = pipe.read_in_thread()
    log.close(30)
    assert len(lines()) + losses.count == 3000


async def test_lines_for_a_reader_that_is_gone_are_counted(pipe: Pipe) -> None:
    losses = Losses()
    log = AccessLog(pipe.write_end, as_json, losses, asyncio.get_running_loop())
    pipe.close_reader()
    for _ in range(1000):
        log.record(request(), OK)
    log.close(30)
    assert losses.count == 1000


async def test_a_closed_output_is_no_fault_of_a_request() -> None:
    losses = Losses()
    log = AccessLog(-1, as_json, losses, asyncio.get_running_loop())
    log.record(request(), OK)
    log.close(30)
    assert losses.count == 1


async def test_a_file_gets_it_all_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    log = AccessLog(fd, as_json, Losses(), asyncio.get_running_loop())
    for _ in range(100):
        log.record(request(b"/" + b"x" * 1000), OK)
    log.close(30)
    os.close(fd)
    assert len([json.loads(each) for each in lines_of(path)]) == 100


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


async def test_closing_does_not_wait_for_a_reader_that_stopped(pipe: Pipe) -> None:
    fcntl.fcntl(pipe.write_end, fcntl.F_SETPIPE_SZ, 4096)
    log = AccessLog(pipe.write_end, as_json, Losses(), asyncio.get_running_loop())
    for _ in range(200):
        log.record(request(), OK)
    log.close(0.01)  # returns: the thread still waits for somebody to read
    lines = pipe.read_in_thread()
    log.close(30)
    assert len(lines()) == 200
