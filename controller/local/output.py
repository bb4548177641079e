"""The output of a process: bytes -> lines, into its log file and to whoever watches."""

from collections import deque
from collections.abc import Callable

from controller.local.logfile import LogFile

LAST_LINES = 20  # kept for whoever asks why it ended
LONGEST_LINE = 1_000_000  # bytes; cut beyond, so that output without line ends is no leak


class Output:
    def __init__(self, log: LogFile, on_line: Callable[[str], None]) -> None:
        self._log = log
        self._on_line = on_line
        self._rest = b""
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)

    def take(self, data: bytes) -> None:
        # Progress bars return to the beginning of the line instead of ending it.
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for raw in filter(bytes.strip, lines):
            self._log.write(raw)
            line = raw.decode(errors="replace").rstrip()
            self.last_lines.append(line)
            self._on_line(line)
        self._log.flush()

    def close(self) -> None:
        self.take(b"\n")
        self._log.close()
