"""Splitter: every branch of its contract, as conversations. What shares come to: test_choose."""

import pytest

from graph.choose import point, salt
from graph.document import Document
from graph.effects import FailureKind, Input, Payload
from graph.nodes import splitter as under_test
from graph.plan import PlanNode
from graph.spec import RouterType
from graph.walk import descend
from tests.scripts import Played, ensemble, plan, play, sequence, splitter, step, switch

IN = '{"x":1}'
TWO = splitter(step("a", weight=80), step("b", weight=20))
A = """
    > root/a {"x":1}
    < root/a 200 {"a":1}
    = 200 {"a":1}
    """
B = """
    > root/b {"x":1}
    < root/b 200 {"b":1}
    = 200 {"b":1}
    """


def seed_for(low: float, high: float, node: str = "test/g/root") -> int:
    """A seed whose draw at this node lies in [low, high)."""
    return next(seed for seed in range(10_000) if low <= point(seed, salt(node)) < high)


FIRST, SECOND = seed_for(0.75, 0.8), seed_for(0.8, 0.85)


def test_a_draw_below_the_first_share_takes_the_first_step() -> None:
    play(plan(TWO), IN, A, seed=FIRST)


def test_a_draw_beyond_it_takes_the_second() -> None:
    play(plan(TWO), IN, B, seed=SECOND)


@pytest.mark.parametrize("seed", range(50))
def test_weight_0_is_never_drawn(seed: int) -> None:
    zeros = splitter(
        step("z", weight=0), step("a", weight=100), step("y", weight=0), step("w", weight=0)
    )
    play(plan(zeros), IN, A, seed=seed)


def test_one_step_of_100() -> None:
    play(plan(splitter(step("a", weight=100))), IN, A)


PASSED = {
    "soft, not 2xx: the answer passes": (
        "Soft",
        """
        > root/a {"x":1}
        < root/a 503 (text/plain) no
        = 503 (text/plain) no
        """,
    ),
    "hard, not 2xx: the same": (
        "Hard",
        """
        > root/a {"x":1}
        < root/a 503 (text/plain) no
        = 503 (text/plain) no
        """,
    ),
    "no answer: no other step is drawn": (
        "Soft",
        """
        > root/a {"x":1}
        < root/a connect: refused
        = connect at root/a: refused
        """,
    ),
}


@pytest.mark.parametrize("compat", [False, True], ids=["", "compat"])
@pytest.mark.parametrize("name", PASSED)
def test_passed(name: str, compat: bool) -> None:
    dependency, playbook = PASSED[name]
    root = splitter(step("a", weight=80, dependency=dependency), step("b", weight=20))
    play(plan(root, compat=compat), IN, playbook, seed=FIRST)


def test_data_condition_and_mapping_are_a_sequences_alone() -> None:
    """A request that has predictions, and no path `none`: it passes untouched."""
    root = splitter(
        step("a", weight=100, condition="none", data="$response", mapPredictionsToInstances=True)
    )
    play(
        plan(root),
        '{"predictions":[1]}',
        """
        > root/a {"predictions":[1]}
        < root/a 200 {}
        = 200 {}
        """,
    )


def decided(played: Played) -> list[tuple[str, str, str, float | None]]:
    return [(made.node, made.step, made.kind, made.point) for made in played.request.decisions]


def test_the_decision_holds_the_draw() -> None:
    drawn = point(SECOND, salt("test/g/root"))
    assert decided(play(plan(TWO), IN, B, seed=SECOND)) == [("test/g/root", "b", "Splitter", drawn)]


def test_an_unnamed_step_is_decided_by_index() -> None:
    root = splitter(step(weight=0), step(weight=100))
    played = play(plan(root), IN, '> root/1 {"x":1}\n< root/1 200 {}\n= 200 {}')
    assert [made.step for made in played.request.decisions] == ["1"]


INNERS = {
    "Sequence": (
        sequence(step("i"), step("j", data="$response")),
        """
        > inner/i {"x":1}
        < inner/i 200 {"i":1}
        > inner/j {"i":1}
        < inner/j 200 {"j":1}
        = 200 {"j":1}
        """,
    ),
    "Splitter": (
        splitter(step("i", weight=100)),
        """
        > inner/i {"x":1}
        < inner/i 418 {}
        = 418 {}
        """,
    ),
    "Switch": (
        switch(step("i", condition="x")),
        """
        > inner/i {"x":1}
        < inner/i 200 {}
        = 200 {}
        """,
    ),
    "Ensemble": (
        ensemble(step("i")),
        """
        > inner/i {"x":1}
        < inner/i 200 [1]
        = 200 {"i":[1]}
        """,
    ),
}


@pytest.mark.parametrize("kind", INNERS)
def test_a_step_that_is_a_node(kind: str) -> None:
    inner, playbook = INNERS[kind]
    root = splitter(step("n", node="inner", weight=80), step("b", weight=20))
    played = play(plan(root, inner=inner), IN, playbook, seed=FIRST)
    assert decided(played)[0][:2] == ("test/g/root", "n")


def test_weights_that_choose_nobody_are_a_failure() -> None:
    """The check refuses such a graph; the walk has an outcome for it all the same."""
    node = PlanNode("test/g/root", RouterType.SPLITTER, (), (0, 0), 0, False, False, False, False)
    walk = under_test.run(
        node, Payload(Document(b"{}"), ()), Input(Payload(Document(b"{}"), ())), descend, True
    )
    with pytest.raises(StopIteration) as ended:
        next(walk)
    outcome = ended.value.value
    assert outcome.kind is FailureKind.NO_ROUTE
    assert outcome.cause == "no route was selected by the splitter"
    assert outcome.address == "test/g/root"
