"""Objects and samples in, rows out; and these as a table for terminals of any size."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.top.columns import as_json, columns, duration, percent, size, sort_key, three
from cli.top.figures import Figures, Of, Pace, Sample
from cli.top.frame import View, fit, frame
from cli.top.rows import GpuUse, Known, Row, flat, ordered, rows

Json = dict[str, Any]


def thing(name: str, reason: str = "", **more: Any) -> Json:
    status = "False" if reason else "True"
    ready = {"type": "Ready", "status": status, "reason": reason}
    metadata = {"name": name, "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}
    said = more.pop("status", {})
    return {"metadata": metadata, "status": {"conditions": [ready]} | said, **more}


def service(name: str, shares: dict[int, int], reason: str = "") -> Json:
    traffic = [{"revisionName": f"{name}-0000{n}", "percent": p} for n, p in shares.items()]
    return thing(name, reason, status={"components": {"predictor": {"traffic": traffic}}})


def revision(of: str, number: int, *units: str) -> Json:
    found = thing(f"{of}-0000{number}", revision=number)
    found["metadata"]["labels"] = {"serving.kserve.io/inferenceservice": of}
    names = units or (f"predictor-0000{number}",)
    return found | {"data": {"units": {name.split("-")[0]: {"name": name} for name in names}}}


def pod(of: str, unit: str, at: int = 0, ready: bool = True, **status: Any) -> Json:
    found = thing(f"{of}-{unit}-{at}", "" if ready else "Starting")
    found["metadata"]["labels"] = {
        "serving.kserve.io/inferenceservice": of,
        "component": unit.partition("-")[0],
    }
    return found | {"status": found["status"] | {"phase": "Running"} | status}


CRASHED = {
    "containerStatuses": [{"ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
}
STATES = [
    ("a ready one", {1: 100}, [pod("iris", "predictor-00001")], ("Ready", 1, 1, 100)),
    ("scaled to zero", {1: 100}, [], ("Idle", 0, 0, 100)),
    ("not called and not there", {2: 100}, [], None),
    (
        "one of two is ready",
        {1: 10},
        [pod("iris", "predictor-00001"), pod("iris", "predictor-00001", 1, ready=False)],
        ("Ready", 1, 2, 10),
    ),
    (
        "crashed",
        {2: 100},
        [pod("iris", "predictor-00001", ready=False, **CRASHED)],
        ("CrashLoopBackOff", 0, 1, None),
    ),
    (
        "on its way",
        {1: 0},
        [pod("iris", "predictor-00001", ready=False)],
        ("Starting", 0, 1, 0),
    ),
    (
        "started, and no longer ready",
        {1: 100},
        [pod("iris", "predictor-00001", ready=False, containerStatuses=[{"started": True}])],
        ("NotReady", 0, 1, 100),
    ),
    (
        "another is on its way out",
        {1: 100},
        [
            pod("iris", "predictor-00001"),
            pod("iris", "predictor-00001", 1, ready=False, reason="Terminating"),
        ],
        ("Ready", 1, 1, 100),
    ),
]


@pytest.mark.parametrize(
    ("shares", "pods", "wanted"), [s[1:] for s in STATES], ids=[s[0] for s in STATES]
)
def test_how_a_revision_fares(
    shares: dict[int, int], pods: list[Json], wanted: tuple[object, ...] | None
) -> None:
    known = Known((), [service("iris", shares)], [revision("iris", 1)], pods)
    (found,) = rows(known, None, Sample(0, {}))
    below = [(each.state, each.ready, each.wanted, each.share) for each in found.below]
    assert below == ([wanted] if wanted is not None else [])


def test_its_transformer_must_be_there_too() -> None:
    one = revision("iris", 1, "predictor-00001", "transformer-00001")
    pods = [pod("iris", "predictor-00001"), pod("iris", "transformer-00001", ready=False)]
    (found,) = rows(Known((), [service("iris", {1: 100})], [one], pods), None, Sample(0, {}))
    assert (found.below[0].state, found.below[0].ready) == ("Starting", 1)
    assert (found.ready, found.wanted) == (1, 1)


def test_a_service_is_all_of_its_revisions_and_what_nobody_was_drawn_for() -> None:
    known = Known(
        [thing("flowers", "ServiceNotReady")],
        [service("iris", {2: 10, 1: 90})],
        [revision("iris", 1), revision("iris", 2)],
        [pod("iris", "predictor-00001"), pod("iris", "predictor-00002", ready=False)],
    )
    key = "default/iris"
    before = Sample(10.0, {Of(service=key, revision="iris-00001"): Figures(100)})
    after = {
        Of(graph="default/flowers"): Figures(8, 4, in_flight=3),
        Of(service=key, revision="iris-00001"): Figures(190, in_flight=2),
        Of(service=key, revision="iris-00002"): Figures(10, 5),
        Of(service=key): Figures(held=1),
        Of(service="default/iris-predictor-00001"): Figures(2),
        Of(service="default/gone"): Figures(0),
    }
    gpus = {("default", "iris", "predictor-00002"): GpuUse(2**30, 40.0)}
    graph, iris, inner = rows(known, before, Sample(20.0, after), gpus)
    assert (graph.kind, graph.state) == ("graph", "ServiceNotReady")
    assert graph.pace == Pace(0.8, 0.5, None, None, 3, 0)
    assert (iris.pace.rate, iris.pace.errors, iris.pace.held) == (10.0, 0.05, 1)
    assert (iris.ready, iris.wanted, iris.gpu) == (1, 2, GpuUse(2**30, 40.0))
    second, first = iris.below
    assert (first.share, first.pace.rate, first.gpu) == (90, 9.0, None)
    assert (second.share, second.pace.errors, second.gpu) == (10, 0.5, iris.gpu)
    assert (inner.name, inner.state, inner.pace.rate) == ("iris-predictor-00001", "", 0.2)
    assert as_json(second)["sharePercent"] == 10
    assert [each["name"] for each in as_json(iris)["revisions"]] == ["iris-00002", "iris-00001"]


def row(name: str, rate: float | None, *below: Row, kind: str = "service") -> Row:
    return Row(kind, "default", name, "Ready", 1, 1, pace=Pace(rate), below=below)


ROWS = [
    row("b", 1.0, row("b-1", 0.0, kind="revision"), row("b-2", 1.0, kind="revision")),
    row("a", None),
    row("c", 2.0),
    row("g", 0.0, kind="graph"),
    row("h", 9.0, kind="graph"),
]
ORDERS = [
    ("by name", "NAME", False, "g h a b b-1 b-2 c"),
    ("by name, turned round", "NAME", True, "h g c b b-2 b-1 a"),
    ("most called first", "RATE/S", False, "h g c b b-2 b-1 a"),
    ("least called first", "RATE/S", True, "g h a b b-1 b-2 c"),
    ("equal ones by name", "STATE", False, "g h a b b-1 b-2 c"),
]


@pytest.mark.parametrize(
    ("title", "reverse", "names"), [o[1:] for o in ORDERS], ids=[o[0] for o in ORDERS]
)
def test_revisions_stay_with_their_service(title: str, reverse: bool, names: str) -> None:
    (column,) = [each for each in columns(gpus=False) if each.title == title]
    found = flat(ordered(ROWS, sort_key(column), reverse=reverse))
    assert " ".join(each.name for each in found) == names


FITS = [
    (200, 2, "NAME STATE READY SHARE RATE/S ERRORS P50 P99 FLIGHT HELD"),
    (60, 1, "NAME STATE READY SHARE RATE/S ERRORS P50 P99 FLIGHT HELD"),
    (50, 1, "NAME STATE READY SHARE RATE/S ERRORS P99 FLIGHT"),
    (20, 1, "NAME SHARE RATE/S"),
    (3, 1, "NAME"),
]


@pytest.mark.parametrize(("width", "gap", "titles"), FITS)
def test_the_less_important_columns_go_first(width: int, gap: int, titles: str) -> None:
    shown, found = fit(columns(gpus=False), flat(ROWS), width)
    assert " ".join(column.title for column, _ in shown) == titles
    assert found == gap


many = st.lists(
    st.builds(
        row,
        st.text("abc-", min_size=1, max_size=80),
        st.none() | st.floats(0, 1e6),
        kind=st.sampled_from(["graph", "service", "revision"]),
    ),
    max_size=40,
)


@given(many, st.integers(1, 250), st.integers(1, 60), st.integers(-3, 500), st.booleans())
def test_a_picture_fits_any_terminal(
    found: list[Row], width: int, height: int, top: int, gpus: bool
) -> None:
    picture = frame(
        found,
        columns(gpus),
        View(sort=top, top=top),
        head="graphway http://127.0.0.1:9902",
        fault="",
        width=width,
        height=height,
    )
    assert len(picture.lines) <= height
    assert all(line.cell_len <= width for line in picture.lines)
    assert 0 <= picture.view.top <= max(0, len(found) - 1)


def test_hundreds_of_rows_scroll_and_a_fault_is_told() -> None:
    found = [row(f"s{number:03d}", 1.0) for number in range(500)]
    size = {"width": 80, "height": 24, "head": "x"}
    picture = frame(found, columns(gpus=True), View(top=490), fault="", **size)  # type: ignore[arg-type]
    text = [str(line) for line in picture.lines]
    assert len(text) == 24
    assert text[2].startswith("s479 ")
    assert text[-1].startswith("rows 480 to 500 of 500   q quit")
    picture = frame(found, columns(gpus=True), View(), fault="nobody answers", **size)  # type: ignore[arg-type]
    assert str(picture.lines[-1]) == "nobody answers"


WORDS = [
    (duration, None, ""),
    (duration, 0.00025, "250us"),
    (duration, 0.0123, "12.3ms"),
    (duration, 1.5, "1.50s"),
    (duration, 120.0, "120s"),
    (size, 512, "512"),
    (size, 1.5 * 2**30, "1.50Gi"),
    (size, 2.0**50, "1024Ti"),
    (percent, 0.0, "0%"),
    (percent, 0.001, "<0.01%"),
    (percent, 33.333, "33.3%"),
    (three, 1234.5, "1234"),
    (three, 99.96, "100"),
]


@pytest.mark.parametrize(("word", "value", "text"), WORDS)
def test_figures_in_few_letters(word: Any, value: float | None, text: str) -> None:
    assert word(value) == text
