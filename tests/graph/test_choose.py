"""Shares, seeds and independence of weighted choice."""

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.choose import choose, cumulate, point, salt

DRAWS = 100_000
SEEDS = [Random(20_250_801).getrandbits(64)] + [
    Random(index).getrandbits(64) for index in range(DRAWS - 1)
]
A, B = salt("test/g/a"), salt("test/g/b")


def chi_square(counts: dict[int, int], weights: list[int]) -> tuple[float, int]:
    """Pearson's statistic against the weights, and its degrees of freedom. What has no weight must
    have no draw either.
    """
    draws = sum(counts.values())
    total = sum(weights)
    statistic, cells = 0.0, 0
    for index, weight in enumerate(weights):
        if weight == 0:
            assert counts.get(index, 0) == 0
            continue
        expected = draws * weight / total
        statistic += (counts.get(index, 0) - expected) ** 2 / expected
        cells += 1
    return statistic, cells - 1


def critical(freedom: int) -> float:
    """Chi-square's quantile for one in a million, by Wilson and Hilferty's cube (Proc. Natl. Acad.
    Sci. 17, 1931): never below it, and above it by 15 % for one degree of freedom, 3 % for nine.
    The seeds are fixed: a failure is a change of the mixing, not bad luck.
    """
    if freedom == 0:
        return 0.0
    z = 4.7534  # the normal quantile for one in a million
    ninth = 2 / (9 * freedom)
    return freedom * (1 - ninth + z * math.sqrt(ninth)) ** 3


def draw(weights: list[int], node: int, seeds: list[int] = SEEDS) -> Counter[int]:
    running = cumulate(weights)
    return Counter(choose(running, point(seed, node)) for seed in seeds)


SHARES = {
    "halves": [50, 50],
    "a canary": [99, 1],
    "a first canary": [1, 99],
    "with zeros at every place": [0, 30, 0, 0, 70, 0],
    "four": [10, 20, 30, 40],
    "a hundred": [1] * 100,
    "one": [100],
    "primes": [2, 3, 5, 7, 83],
    "a thousand steps, each tenth with a share": [1 if i % 10 == 3 else 0 for i in range(1000)],
    "a thousand steps, all with a share": [1 + i % 3 for i in range(1000)],
}


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("node", [A, B], ids=["a", "b"])
def test_shares_over_the_long_run(name: str, node: int) -> None:
    weights = SHARES[name]
    statistic, freedom = chi_square(draw(weights, node), weights)
    assert statistic <= critical(freedom)


def test_the_bound_would_find_a_share_that_is_off_by_two_in_a_hundred() -> None:
    statistic, freedom = chi_square(draw([52, 48], A), [50, 50])
    assert statistic > critical(freedom)


@pytest.mark.parametrize("freedom", [1, 2, 3, 9, 99, 999])
def test_the_bound_is_near_the_tables(freedom: int) -> None:
    exact = {1: 23.928, 2: 27.631, 3: 30.665, 9: 44.811, 99: 180.792, 999: 1226.046}
    assert 1.0 <= critical(freedom) / exact[freedom] < 1.16


SEQUENCES = {
    "seeds in a row": list(range(DRAWS)),
    "seeds that differ in high bits only": [index << 40 for index in range(DRAWS)],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_poor_seeds_give_good_shares(name: str) -> None:
    """A caller of the library may count its requests instead of drawing seeds."""
    weights = [10, 20, 30, 40]
    statistic, freedom = chi_square(draw(weights, A, SEQUENCES[name]), weights)
    assert statistic <= critical(freedom)


def test_two_nodes_draw_independently() -> None:
    """The joint counts of a ten by ten table fit the product of the shares."""
    running = cumulate([10] * 10)
    joint = Counter(
        10 * choose(running, point(seed, A)) + choose(running, point(seed, B)) for seed in SEEDS
    )
    statistic, freedom = chi_square(joint, [1] * 100)
    assert statistic <= critical(freedom)


def test_a_node_of_the_same_name_in_another_graph_draws_independently() -> None:
    other = salt("test/h/a")
    running = cumulate([50, 50])
    joint = Counter(
        2 * choose(running, point(seed, A)) + choose(running, point(seed, other)) for seed in SEEDS
    )
    statistic, freedom = chi_square(joint, [1] * 4)
    assert statistic <= critical(freedom)


def test_draws_are_the_same_for_ever() -> None:
    """Replays and running experiments depend on them: whoever changes these moves everybody."""
    node = salt("test/g/root")
    assert node == 10424473689915963231
    assert [point(seed, node) for seed in (0, 1, 2**64 - 1)] == [
        0.04382471650907949,
        0.49832498291842964,
        0.5012025182665241,
    ]


@given(seed=st.integers(), node=st.integers(0, 2**64 - 1))
def test_a_point_lies_in_the_unit_interval(seed: int, node: int) -> None:
    assert 0.0 <= point(seed, node) < 1.0
    assert point(seed, node) == point(seed, node)


WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1).filter(any)
POINTS = st.floats(0, 1, exclude_max=True) | st.sampled_from([0.0, 1 - 2.0**-53, 5e-324])


@given(weights=WEIGHTS, at=POINTS)
def test_the_chosen_step_holds_the_point(weights: list[int], at: float) -> None:
    chosen = choose(cumulate(weights), at)
    assert weights[chosen] > 0
    below = sum(weights[:chosen])
    assert below <= at * sum(weights) < below + weights[chosen]
