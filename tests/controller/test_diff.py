"""What is to be done, row by row; and after it, nothing more."""

from dataclasses import replace
from pathlib import Path

import pytest

from controller.desired import Unit, Wanted, World, desired
from controller.diff import Apply, Change, End, diff
from controller.local.plan import HERE
from controller.observe import Phase, Replica, Running
from controller.workload import Role
from tests.controller.manifests import only_service, service

RUN = "{containers: [{command: [run]}]}"
ALL = service(f"spec:\n  predictor: {RUN}\n  transformer: {RUN}\n  explainer: {RUN}")


def units(text: str = ALL, host: str = "127.0.0.1:1") -> dict[Role, Unit]:
    made = desired(only_service(text), World(terms=HERE, needs_host=True), host)
    assert isinstance(made, Wanted)
    return {unit.role: unit for unit in made.units}


UNITS = units()
PREDICTOR, TRANSFORMER, EXPLAINER = UNITS.values()
ELSEWHERE = units(host="127.0.0.1:2")[Role.TRANSFORMER]
MORE = replace(PREDICTOR, replicas=2)
OLD = replace(PREDICTOR, name="old")


def runs(*given: Unit) -> dict[str, Running]:
    replica = Replica("r", Phase.READY, 0.0, address="http://127.0.0.1:1")
    return {unit.name: Running(unit.role, unit, (replica,)) for unit in given}


def ending(unit: Unit) -> dict[str, Running]:
    return {unit.name: Running(unit.role, None, (Replica("r", Phase.STOPPING, 0.0),))}


ROWS: dict[str, tuple[dict[str, Running], list[Unit], list[Change]]] = {
    "nothing is there: the predictor starts": ({}, [PREDICTOR], [Apply(PREDICTOR)]),
    "its predictor runs: the transformer starts": (
        runs(PREDICTOR),
        [PREDICTOR, TRANSFORMER],
        [Apply(TRANSFORMER)],
    ),
    "all is as it should be": (
        runs(PREDICTOR, TRANSFORMER),
        [PREDICTOR, TRANSFORMER],
        [],
    ),
    "the predictor is called elsewhere: the transformer is told": (
        runs(PREDICTOR, TRANSFORMER),
        [PREDICTOR, ELSEWHERE],
        [Apply(ELSEWHERE)],
    ),
    "more replicas": (runs(PREDICTOR), [MORE], [Apply(MORE)]),
    "no transformer any more": (
        runs(PREDICTOR, TRANSFORMER),
        [PREDICTOR],
        [End("transformer")],
    ),
    "all is to go: who calls others goes first": (
        runs(PREDICTOR, TRANSFORMER, EXPLAINER),
        [],
        [End("explainer")],
    ),
    "the explainer has gone: the next one": (
        runs(PREDICTOR, TRANSFORMER),
        [],
        [End("transformer")],
    ),
    "the transformer still ends: its predictor waits": (
        runs(PREDICTOR) | ending(TRANSFORMER),
        [],
        [],
    ),
    "the predictor alone is left": (runs(PREDICTOR), [], [End("predictor")]),
    "a revision beside another one": (
        runs(OLD),
        [OLD, PREDICTOR],
        [Apply(PREDICTOR)],
    ),
    "the older revision goes": (runs(OLD, PREDICTOR), [PREDICTOR], [End("old")]),
    "of an older revision too, who calls others goes first": (
        runs(OLD, PREDICTOR, TRANSFORMER),
        [PREDICTOR],
        [End("transformer")],
    ),
    "it is wanted again while it ends": (ending(PREDICTOR), [PREDICTOR], [Apply(PREDICTOR)]),
}


@pytest.mark.parametrize(("observed", "wanted", "changes"), ROWS.values(), ids=ROWS)
def test_what_is_to_be_done(
    observed: dict[str, Running], wanted: list[Unit], changes: list[Change]
) -> None:
    assert diff(observed, wanted) == changes


@pytest.mark.parametrize(("observed", "wanted", "changes"), ROWS.values(), ids=ROWS)
def test_once_it_is_done_there_is_nothing_to_do(
    observed: dict[str, Running], wanted: list[Unit], changes: list[Change]
) -> None:
    for _ in Role:  # each step is seen before the next one is asked for
        for change in diff(observed, wanted):
            match change:
                case Apply(unit):
                    observed = observed | runs(unit)
                case End(name):
                    observed = {key: value for key, value in observed.items() if key != name}
        observed = {key: value for key, value in observed.items() if value.unit is not None}
        order = [*Role]
        by_role = sorted(observed.items(), key=lambda item: order.index(item[1].role))
        observed = dict(by_role)
    assert diff(observed, wanted) == []
    assert {name: running.unit for name, running in observed.items()} == {u.name: u for u in wanted}


def test_what_waits_for_its_predictor_stays_as_it_is() -> None:
    assert diff(runs(PREDICTOR, TRANSFORMER), [PREDICTOR], kept=["transformer"]) == []


def test_units_are_equal_whatever_stands_around_them_in_the_manifest() -> None:
    assert units("# a comment\n\n" + ALL) == UNITS
    assert PREDICTOR.folder == Path("/manifests")
