"""Who fits, who is loaded, who goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.trainedmodels.decide import Decision, Model, decide, in_binary

GI = 2**30


def of(name: str, gi: float = 1, *, created: str = "", here: bool = False) -> Model:
    return Model(name, f"digest of {name}", int(gi * GI), created, here)


def held(*names: str) -> dict[str, str]:
    return {name: f"digest of {name}" for name in names}


ROWS = {
    "nobody wants anything": ([], {}, 4, [], [], []),
    "what is wanted is loaded": ([of("a"), of("b")], {}, 4, ["a", "b"], [], []),
    "what is there already is left alone": ([of("a")], held("a"), 4, [], [], []),
    "another digest is loaded again": ([of("a")], {"a": "old"}, 4, ["a"], [], []),
    "what nobody wants goes": ([of("a")], held("a", "b"), 4, [], ["b"], []),
    "to the last byte it fits": ([of("a", 2), of("b", 2)], {}, 4, ["a", "b"], [], []),
    "beyond it does not": ([of("a", 2), of("b", 2.5)], {}, 4, ["a"], [], ["b"]),
    "the older one comes first": (
        [of("a", 3, created="2"), of("b", 3, created="1")],
        {},
        4,
        ["b"],
        [],
        ["a"],
    ),
    "of one second the name decides": ([of("b", 3), of("a", 3)], {}, 4, ["a"], [], ["b"]),
    "who has a place keeps it, however young": (
        [of("a", 3, created="1"), of("b", 3, created="2", here=True)],
        held("b"),
        4,
        [],
        [],
        ["a"],
    ),
    "a small one fits beside one that does not": (
        [of("a", 3, created="1"), of("b", 3, created="2"), of("c", 1, created="3")],
        {},
        4,
        ["a", "c"],
        [],
        ["b"],
    ),
    "a limit that shrank takes the youngest place": (
        [of("a", 2, created="1", here=True), of("b", 2, created="2", here=True)],
        held("a", "b"),
        3,
        [],
        ["b"],
        ["b"],
    ),
    "larger than the whole server": ([of("a", 5)], {}, 4, [], [], ["a"]),
    "no limit takes all": ([of("a", 500), of("b", 500)], {}, None, ["a", "b"], [], []),
    "a limit of nothing takes none": ([of("a")], {}, 0, [], [], ["a"]),
}


@pytest.mark.parametrize(
    ("wanted", "loaded", "limit", "load", "unload", "refused"), ROWS.values(), ids=ROWS
)
def test_decide(
    wanted: list[Model],
    loaded: dict[str, str],
    limit: int | None,
    load: list[str],
    unload: list[str],
    refused: list[str],
) -> None:
    found = decide(wanted, loaded, None if limit is None else limit * GI)
    assert (list(found.load), list(found.unload), list(found.refused)) == (load, unload, refused)


def test_a_refusal_says_what_is_there_and_what_to_do() -> None:
    found = decide([of("a", 1.5, here=True), of("b", 1)], {}, 2 * GI)
    assert found.refused["b"] == (
        "it needs 1Gi, and of the server's 2Gi 512Mi are free; "
        "raise the memory limit of its InferenceService, or delete other models"
    )


MODELS = st.lists(
    st.builds(
        Model,
        st.text("abcdefgh", min_size=1, max_size=2),
        st.sampled_from(["x", "y"]),
        st.integers(0, 10),
        st.sampled_from(["1", "2", "3"]),
        st.booleans(),
    ),
    unique_by=lambda model: model.name,
)
LOADED = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.sampled_from(["x", "y"]))


@given(MODELS, LOADED, st.none() | st.integers(0, 40))
def test_carried_out_it_is_within_the_limit_and_settled(
    wanted: list[Model], loaded: dict[str, str], limit: int | None
) -> None:
    found = decide(wanted, loaded, limit)
    by_name = {model.name: model for model in wanted}
    after = {k: v for k, v in loaded.items() if k not in found.unload}
    after |= {name: by_name[name].digest for name in found.load}
    assert after.keys() == by_name.keys() - found.refused.keys()
    if limit is not None:
        assert sum(by_name[name].memory_bytes for name in after) <= limit
    again = decide(wanted, after, limit)
    assert again == Decision(refused=found.refused)


SIZES = {0: "0", 512: "512", 1536: "1.5Ki", 2**20: "1Mi", 3 * 2**40: "3Ti"}


@pytest.mark.parametrize(("size", "text"), SIZES.items(), ids=map(str, SIZES))
def test_sizes_are_written_as_limits_are(size: int, text: str) -> None:
    assert in_binary(size) == text
