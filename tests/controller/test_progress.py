"""What `up` prints where there is no terminal: changes at once, details of a phase seldom."""

import io

import pytest

from cli import progress
from cli.progress import Progress
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
