"""Reloads as the parent sees them: what workers are told, what metrics say, what a refusal does."""

from collections.abc import Iterable

from graph.problems import Located, Problem
from router.catalog import Catalog
from router.channel import Install, Installed
from router.config import EndpointSource, GraphSource
from router.source import Loaded, LoadedGraph

FILES = frozenset({"a.yaml"})
BAD = Loaded((), {}, (Located("a.yaml", 1, 1, Problem((), "empty", "write it")),), FILES)
AT = {"ns/s": EndpointSource.of(("http://127.0.0.1:1",), "/p")}
THERE = {"ns/s": EndpointSource.of(("http://127.0.0.1:2",), "/p")}


def version(text: str) -> Loaded:
    return Loaded((LoadedGraph(GraphSource("ns/a", text.encode()), text, "a.yaml"),), AT, (), FILES)


class Told:
    """What workers were told, and the catalog that told them."""

    def __init__(self) -> None:
        self.installs: list[Install] = []
        self.catalog = Catalog(self.installs.append, clock=lambda: 100.0)

    def manifests(self) -> list[str]:
        return [install.graphs[0].manifest.decode() for install in self.installs]

    def accept(self) -> None:
        self.catalog.installed(self.installs[-1].generation)

    def figures(self, names: Iterable[str]) -> dict[str, float]:
        found = {
            "/".join([s.name.removeprefix("graphway_"), *(v for _, v in s.labels)]): s.value
            for s in self.catalog.samples()
        }
        return {name: found[name] for name in names}


def test_workers_hear_of_a_start_with_nothing_to_serve() -> None:
    """They listen from their first word on, and whoever starts services waits for that."""
    told = Told()
    told.catalog.begin(Loaded((), {}, (), frozenset()))
    assert [(install.generation, install.graphs) for install in told.installs] == [(1, ())]


def test_a_bad_edit_tells_workers_nothing_and_shows_in_the_figures() -> None:
    told = Told()
    told.catalog.begin(version("1"))
    told.accept()
    told.catalog.reload(BAD)
    assert told.manifests() == ["1"]
    assert told.figures(
        ["reloads_total/failure", "last_reload_successful", "graph_up_to_date/ns/a"]
    ) == {"reloads_total/failure": 1, "last_reload_successful": 0, "graph_up_to_date/ns/a": 0}


def test_after_the_mend_all_is_well_again() -> None:
    told = Told()
    told.catalog.begin(version("1"))
    told.catalog.reload(BAD)
    told.catalog.reload(version("2"))
    assert told.manifests() == ["1", "2"]
    assert told.figures(
        ["reloads_total/success", "last_reload_successful", "graph_info/ns/a/2"]
    ) == {"reloads_total/success": 1, "last_reload_successful": 1, "graph_info/ns/a/2": 1}


def test_the_same_files_again_are_no_reload() -> None:
    told = Told()
    told.catalog.begin(version("1"))
    told.catalog.reload(version("1"))
    assert told.manifests() == ["1"]
    assert told.figures(["reloads_total/unchanged", "reloads_total/success"]) == {
        "reloads_total/unchanged": 1,
        "reloads_total/success": 0,
    }


def test_fed_endpoints_come_before_loaded_ones_and_stay_through_reloads() -> None:
    told = Told()
    told.catalog.feed(THERE)
    told.catalog.begin(version("1"))
    told.catalog.reload(version("2"))
    told.catalog.feed({})
    assert [install.endpoints for install in told.installs] == [THERE, THERE, AT]


def test_the_same_endpoints_again_are_nothing_new() -> None:
    told = Told()
    told.catalog.begin(version("1"))
    told.catalog.feed(AT)
    assert len(told.installs) == 1


def test_what_a_worker_refuses_is_taken_back_in_all_of_them() -> None:
    told = Told()
    told.catalog.begin(version("1"))
    told.accept()
    told.catalog.reload(version("2"))
    told.catalog.refused(Installed(told.installs[-1].generation, ("no",)))
    assert told.manifests() == ["1", "2", "1"]
    assert [install.generation for install in told.installs] == [1, 2, 3]
    assert told.figures(["last_reload_successful"]) == {"last_reload_successful": 0}


def test_what_one_worker_installed_is_not_taken_back_for_another() -> None:
    told = Told()
    told.catalog.begin(version("1"))
    told.accept()
    told.catalog.refused(Installed(1, ("no",)))
    assert told.manifests() == ["1"]


def test_a_refusal_before_anything_served_is_known_as_such() -> None:
    told = Told()
    told.catalog.begin(version("1"))
    told.catalog.refused(Installed(1, ("no",)))
    assert told.catalog.refused_at_start == ("no",)


def test_taking_back_graphs_does_not_bring_back_replicas_that_are_gone() -> None:
    told = Told()
    told.catalog.feed(AT)
    told.catalog.begin(version("1"))
    told.accept()
    told.catalog.reload(version("2"))
    told.catalog.feed(THERE)
    told.catalog.refused(Installed(told.installs[-1].generation, ("no",)))
    assert told.manifests() == ["1", "2", "2", "1"]
    assert told.installs[-1].endpoints == THERE
