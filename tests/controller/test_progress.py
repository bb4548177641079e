"""What `up` prints where there is no terminal: changes at once, details of a phase seldom."""

import io

import pytest
from rich.console import Console

from cli import progress
from cli.progress import LiveProgress, Progress
from controller.local.progress import Phase


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its last item is the time."""
    times = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: times[-1])
    return times


def test_a_phase_is_told_once_and_its_details_seldom(clock: list[float]) -> None:
    stream = io.StringIO()
    shown = Progress(stream)
    shown.phase("default/iris", Phase.PREPARING, "collecting a")
    shown.phase("default/iris", Phase.PREPARING, "collecting b")
    shown.phase("prod/iris", Phase.PREPARING, "")
    clock.append(111.0)
    shown.phase("default/iris", Phase.PREPARING, "collecting c")
    shown.phase("default/iris", Phase.READY, "http://x")
    assert stream.getvalue().splitlines() == [
        "iris: preparing, collecting a",
        "prod/iris: preparing",
        "iris: preparing, collecting c",
        "iris: ready, http://x",
    ]


def test_output_has_the_name_of_its_service_before_it() -> None:
    stream = io.StringIO()
    Progress(stream).output("default/iris", "loaded [bold]")
    assert stream.getvalue() == "iris | loaded [bold]\n"


def test_output_can_be_left_to_the_logs() -> None:
    stream = io.StringIO()
    Progress(stream, show_output=False).output("default/iris", "loaded")
    assert stream.getvalue() == ""


GB = 10**9


def test_a_model_on_its_way_is_told_in_words() -> None:
    stream = io.StringIO()
    Progress(stream).loading("default/iris", GB, 4 * GB)
    Progress(stream).loading("default/b", GB, None)
    assert stream.getvalue().splitlines() == [
        "iris: loading, 1.0 GB of 4.0 GB",
        "b: loading, 1.0 GB",
    ]


def test_on_a_terminal_it_has_a_bar_until_it_is_there() -> None:
    shown = LiveProgress(io.StringIO())
    try:
        shown.loading("default/iris", GB, 4 * GB)
        told = drawn(shown)
        assert "iris" in told
        assert "1.0 GB of 4.0 GB" in told
        assert told.count("━") == 6  # a quarter of it
        shown.phase("default/iris", Phase.STARTING, "")
        assert "━" not in drawn(shown)
    finally:
        shown.close()


def drawn(shown: LiveProgress) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(shown.table())
    return captured.get()
