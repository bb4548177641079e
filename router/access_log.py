"""The access log: one line a request, JSON or for people, written by a thread so that a slow reader
stalls nobody.

Lines gather for a moment and go out together; where the reader cannot keep up they are dropped and
counted. To a pipe they go in pieces that the kernel writes whole, so that the lines of several
workers never mix.
"""

import asyncio
import os
import select
import stat
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import msgspec
from msgspec import UNSET, UnsetType

from graph.effects import Failure
from router.failures import FAILURES
from router.messages import Request, Response

FLUSH_S = 0.2
FLUSH_BYTES = 65_536
BACKLOG_BYTES = 8 * 1024 * 1024
PATH_BYTES = 1024  # callers choose paths; a line that fits into PIPE_BUF is never torn


class Line(msgspec.Struct, omit_defaults=True):
    time: str
    level: str
    event: str
    graph: str | UnsetType  # unset where a service was asked without a graph
    revision: str
    method: str
    path: str
    status: int
    duration_ms: float
    bytes_in: int
    bytes_out: int
    request_id: str
    client: str
    service: str = ""
    decisions: dict[str, str] = {}  # node -> chosen step
    failed: str = ""  # the step that failed, with the kind and cause of the failure
    kind: str = ""
    cause: str = ""
    first_byte_ms: float = 0.0  # of an answer that was a stream


_encode = msgspec.json.Encoder().encode


class Stamp:
    """UTC times as RFC 3339 with milliseconds. Under load many requests end within one of them:
    its text is kept, and so is the part that changes once a second.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._second = self._millisecond = -1
        self._prefix = self._text = ""

    def __call__(self) -> str:
        millisecond = int(self._clock() * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            second, rest = divmod(millisecond, 1000)
            if second != self._second:
                self._second = second
                self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._text = f"{self._prefix}.{rest:03d}Z"
        return self._text


def line_of(
    request: Request, response: Response, at: str, duration_s: float, cause: str = ""
) -> Line:
    plan = request.plan
    line = Line(
        at,
        "info",
        "request",
        "" if plan is None else plan.key,
        "" if plan is None else plan.revision,
        request.head.method.decode("ascii"),
        request.head.path[:PATH_BYTES].decode("ascii"),
        response.status,
        round(duration_s * 1000, 3),
        len(request.document.body),
        len(response.body),
        request.request_id.decode("ascii"),
        request.client,
        cause=cause,
    )
    if request.service is not None:
        line.service = request.service.key
        line.graph = UNSET
        line.revision = request.revision
    if request.upload is not None:
        line.bytes_in = request.upload.passed
    stream = response.stream
    if stream is not None:
        line.bytes_out = stream.passed
        if stream.first_at is not None:
            line.first_byte_ms = round((stream.first_at - request.started) * 1000, 3)
    if request.decisions:
        line.decisions = {
            decision.node: f"without {decision.step}"
            if decision.kind == "Partial"
            else decision.step
            for decision in request.decisions
            if decision.kind != "ConditionError"
        }
    failure = request.failure
    if failure is not None:
        _explain(line, failure)
    return line


def _explain(line: Line, failure: Failure) -> None:
    line.level = FAILURES[failure.kind].level
    line.failed = failure.address
    line.kind = failure.kind.value
    line.cause = failure.cause


def as_json(line: Line) -> bytes:
    return _encode(line) + b"\n"


def as_text(line: Line) -> bytes:
    """For a terminal: what a person looks for first, first."""
    subject = line.service or line.graph or ""
    way = " ".join(f"{node.rsplit('/', 1)[-1]}={step}" for node, step in line.decisions.items())
    parts = [
        line.time[11:23],
        str(line.status),
        f"{line.duration_ms:8.2f} ms",
        line.method,
        line.path,
        f"{subject}@{line.revision}" if line.revision else subject,
        way,
        f"{line.kind} at {line.failed or '-'}: {line.cause}" if line.kind else line.cause,
        line.request_id,
    ]
    text = "  ".join(part for part in parts if part)
    if not text.isprintable():  # names and causes must not forge lines or steer the terminal
        text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return text.encode() + b"\n"


class AccessLog:
    """Gathers lines for the thread that writes. `dropped` is told of each lost line, by the loop
    or by that thread.
    """

    def __init__(
        self,
        fd: int,
        render: Callable[[Line], bytes],
        dropped: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._fd = fd
        self._render = render
        self._dropped = dropped
        self._loop = loop
        self._stamp = Stamp()
        self._lines: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._batches: SimpleQueue[list[bytes] | None] = SimpleQueue()
        # Bytes handed over, counted by the loop, and bytes dealt with, by the thread: one number
        # for both to change would lose changes.
        self._handed = 0
        self._dealt = 0
        self._writer = threading.Thread(target=self._write_all, name="access-log", daemon=True)
        self._writer.start()

    def record(self, request: Request, response: Response, cause: str = "") -> None:
        """`cause` is why it was refused; where a graph failed, its failure tells."""
        if self._handed - self._dealt > BACKLOG_BYTES:
            self._dropped()
            return
        duration_s = time.monotonic() - request.started
        text = self._render(line_of(request, response, self._stamp(), duration_s, cause))
        self._lines.append(text)
        self._size += len(text)
        if self._size >= FLUSH_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            self._handed += self._size
            self._batches.put(self._lines)
            self._lines = []
            self._size = 0

    def close(self, within_s: float = 1.0) -> None:
        """Write out what is left, but do not wait long for a reader that has stopped."""
        self.flush()
        self._batches.put(None)
        self._writer.join(within_s)

    def _write_all(self) -> None:
        is_pipe = _is_pipe(self._fd)
        while (lines := self._batches.get()) is not None:
            for piece in _pieces(lines, is_pipe):
                try:
                    _write(self._fd, piece)
                except OSError:  # the reader is gone; a log that nobody reads stops no traffic
                    for _ in range(piece.count(b"\n")):
                        self._dropped()
            self._dealt += sum(map(len, lines))


def _is_pipe(fd: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False  # closed from the start: each write will say so


def _pieces(lines: list[bytes], is_pipe: bool) -> list[bytes]:
    """Lines joined into writes. A pipe takes up to PIPE_BUF bytes at once or not at all."""
    if not is_pipe:
        return [b"".join(lines)]
    pieces: list[bytes] = []
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > select.PIPE_BUF:
            pieces.append(piece)
            piece = b""
        piece += line
    return [*pieces, piece]


def _write(fd: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:  # somebody has made the terminal non-blocking
            select.select([], [fd], [])
