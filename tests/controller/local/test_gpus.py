"""Who gets which GPU, and what is said to who gets none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.local.gpus import Device, Held, NoDevices, NotEnough, allocate


def machine(*names: str, **users: str) -> list[Device]:
    """Devices a, b...; `a="python"` computes on that one."""
    return [
        Device(name, "H200", index, (users[name],) if name in users else ())
        for index, name in enumerate(names)
    ]


TWO = machine("a", "b")

GIVEN = {
    "the first one that is free": (1, TWO, {}, ("a",)),
    "as many as asked for": (2, TWO, {}, ("a", "b")),
    "not one that another replica holds": (1, TWO, {"other": ("a",)}, ("b",)),
    "not one on which somebody else computes": (1, machine("a", "b", a="python"), {}, ("b",)),
    "the same ones again": (1, TWO, {"me": ("b",)}, ("b",)),
    "the same ones, though its own end still computes there": (
        1,
        machine("a", "b", b="python"),
        {"me": ("b",)},
        ("b",),
    ),
    "more beside its own": (2, TWO, {"me": ("b",)}, ("b", "a")),
    "fewer of its own": (1, TWO, {"me": ("b", "a")}, ("b",)),
    "another for one that is broken": (1, TWO, {"me": ("gone",)}, ("a",)),
}


@pytest.mark.parametrize(("count", "devices", "held", "given"), GIVEN.values(), ids=GIVEN)
def test_a_replica_gets(
    count: int, devices: list[Device], held: Held, given: tuple[str, ...]
) -> None:
    assert allocate("me", count, devices, held) == given


REFUSED = {
    "others hold them": (
        1,
        TWO,
        {"default/a/0": ("a", "b")},
        "it asks for 1 GPU, and of 2 here none is free; GPU 0 (H200) is held by default/a/0; "
        "GPU 1 (H200) is held by default/a/0",
    ),
    "one is free, and that is not enough": (
        2,
        machine("a", "b", b="python (process 7)"),
        {},
        "it asks for 2 GPUs, and of 2 here 1 is free; GPU 1 (H200) is held by python (process 7)",
    ),
    "the machine has fewer": (3, TWO, {}, "it asks for 3 GPUs, and of 2 here 2 are free"),
    "the machine has none": (
        1,
        NoDevices("no NVIDIA driver answers on this machine"),
        {},
        "it asks for 1 GPU, and no NVIDIA driver answers on this machine",
    ),
}


@pytest.mark.parametrize(("count", "devices", "held", "words"), REFUSED.values(), ids=REFUSED)
def test_who_gets_none_is_told_who_holds_them(
    count: int, devices: list[Device] | NoDevices, held: Held, words: str
) -> None:
    assert allocate("me", count, devices, held) == NotEnough(words)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3), st.booleans()), max_size=30))
def test_no_device_is_ever_given_twice(asked: list[tuple[int, int, bool]]) -> None:
    devices = machine("a", "b", "c", "d")
    held: dict[str, tuple[str, ...]] = {}
    for number, count, wanted in asked:
        key = str(number)
        if not wanted:
            held.pop(key, None)
            continue
        given = allocate(key, count, devices, held)
        if isinstance(given, NotEnough):
            others = sum(len(uuids) for other, uuids in held.items() if other != key)
            assert others + count > len(devices)
        else:
            assert len(given) == count
            held[key] = given
        everything = [uuid for uuids in held.values() for uuid in uuids]
        assert len(everything) == len(set(everything))
