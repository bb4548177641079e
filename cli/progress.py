"""Shows where each service stands: a table that redraws itself on a terminal, else a line for each
change.

What the services print goes above the table, each line behind the name of its service.
"""

import time
from typing import TextIO

from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from controller.local.progress import Phase, ProgressSink
from controller.storage.outcome import in_words

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red", "bright_cyan")
_STYLES = {Phase.READY: "green", Phase.CRASHED: "red", Phase.UNREADY: "yellow"}
BAR_WIDTH = 24
REPEAT_S = 10.0  # without a terminal, details of the same phase come at most so often


def progress_on(stream: TextIO, show_output: bool = True) -> "Progress":
    """`show_output`: what the services print; it is in their logs anyway."""
    kind = LiveProgress if stream.isatty() else Progress
    return kind(stream, show_output)


def short(key: str) -> str:
    """Without the namespace that everybody is in."""
    return key.removeprefix("default/")


class Progress(ProgressSink):
    """For files, pipes and CI: plain lines."""

    def __init__(self, stream: TextIO, show_output: bool = True) -> None:
        self._stream = stream
        self._show_output = show_output
        self._said: dict[str, tuple[Phase, float]] = {}

    def phase(self, key: str, phase: Phase, detail: str) -> None:
        before, at = self._said.get(key, (None, 0.0))
        now = time.monotonic()
        if phase is not before or now - at >= REPEAT_S:
            self._said[key] = (phase, now)
            self._write(f"{short(key)}: {phase}{f', {detail}' if detail else ''}")

    def loading(self, key: str, done_bytes: int, total_bytes: int | None) -> None:
        of = f" of {in_words(total_bytes)}" if total_bytes is not None else ""
        self.phase(key, Phase.LOADING, f"{in_words(done_bytes)}{of}")

    def output(self, key: str, line: str) -> None:
        if self._show_output:
            self._write(f"{short(key)} | {line}")

    def note(self, line: str) -> None:
        self._write(line)

    def close(self) -> None:
        """No more table; lines go on."""

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class LiveProgress(Progress):
    """For people: one row a service until all are ready, then lines again."""

    def __init__(self, stream: TextIO, show_output: bool = True) -> None:
        super().__init__(stream, show_output)
        self._console = Console(file=stream)
        self._rows: dict[str, tuple[Phase, str]] = {}
        self._bars: dict[str, ProgressBar] = {}
        self._spinner = Spinner("dots")
        self._live = Live(
            get_renderable=self.table, console=self._console, refresh_per_second=8, transient=True
        )
        self._live.start()

    def phase(self, key: str, phase: Phase, detail: str) -> None:
        self._rows[key] = (phase, detail)
        if phase is not Phase.LOADING:
            self._bars.pop(key, None)
        if not self._live.is_started or phase in _STYLES:
            super().phase(key, phase, detail)

    def loading(self, key: str, done_bytes: int, total_bytes: int | None) -> None:
        total = float(total_bytes) if total_bytes is not None else None  # None: it pulses
        self._bars[key] = ProgressBar(total, done_bytes, width=BAR_WIDTH)
        super().loading(key, done_bytes, total_bytes)

    def close(self) -> None:
        self._live.stop()

    def _write(self, line: str) -> None:
        name, mark, rest = line.partition(" | ")
        if not mark:
            self._console.print(Text(line), soft_wrap=True)
            return
        prefix = (f"{name} | ", self._colour(name))
        self._console.print(Text.assemble(prefix, rest), soft_wrap=True)

    def _colour(self, name: str) -> str:
        return COLOURS[sum(name.encode()) % len(COLOURS)]

    def table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for key, (phase, detail) in self._rows.items():
            busy = phase in (Phase.PREPARING, Phase.LOADING, Phase.STARTING)
            mark = self._spinner if busy else Text("*", _STYLES.get(phase, "dim"))
            style = _STYLES.get(phase, "")
            said: RenderableType = Text(detail, "dim")
            if (bar := self._bars.get(key)) is not None:
                said = Columns([bar, said])
            table.add_row(mark, short(key), Text(str(phase), style), said)
        return table
