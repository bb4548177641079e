"""What replicas use: rates between two looks, and looks at real processes."""

from collections.abc import Mapping

import pytest

from controller.local import usage
from controller.local.replica import Phase, ProcessState
from controller.local.usage import Meter, UnitUsage, used_so_far
from controller.scaling.resources import Use
from tests.controller.local.test_memory import MIB, session

GONE = 2**22 + 1
Used = Mapping[str, tuple[float, int]]
NINE = {"a": 9}

LOOKS: dict[str, tuple[list[tuple[float, Mapping[str, int], Used]], Mapping[str, Use]]] = {
    # at, sessions, what they have used so far; then what is told at the last look
    "nothing at the first look": ([(0, NINE, {"a": (5.0, 7)})], {}),
    "what was used since the look before": (
        [(0, NINE, {"a": (5.0, 7)}), (10, NINE, {"a": (20.0, 8)})],
        {"a": Use(1.5, 8.0)},
    ),
    "only since the look before": (
        [(0, NINE, {"a": (0, 7)}), (10, NINE, {"a": (20.0, 7)}), (20, NINE, {"a": (25.0, 7)})],
        {"a": Use(0.5, 7.0)},
    ),
    "another process under the same name begins anew": (
        [(0, NINE, {"a": (5.0, 7)}), (10, {"a": 10}, {"a": (20.0, 8)})],
        {},
    ),
    "one that is gone is not told": ([(0, NINE, {"a": (5.0, 7)}), (10, NINE, {})], {}),
    "less than before is nothing": (
        [(0, NINE, {"a": (5.0, 7)}), (10, NINE, {"a": (4.0, 8)})],
        {"a": Use(0.0, 8.0)},
    ),
}


@pytest.mark.asyncio
@pytest.mark.parametrize(("looks", "told"), LOOKS.values(), ids=LOOKS)
async def test_a_meter(
    looks: list[tuple[float, Mapping[str, int], Used]], told: Mapping[str, Use]
) -> None:
    used = iter([used for _, _, used in looks])
    times = iter([at for at, _, _ in looks])
    meter = Meter(lambda _sessions: next(used), lambda: next(times))
    for _, sessions, _ in looks:
        found = await meter.uses(sessions)
    assert found == told


WORK = "sum(i * i for i in range(2_000_000)); held = bytearray(b'x') * (64 * 2**20)"
BUSY = f"{WORK}; print('up', flush=True); input()"
# One child that is gone, and one that stays.
PARENT = (
    "import subprocess, sys; "
    f"subprocess.run([sys.executable, '-c', {WORK!r}]); "
    f"subprocess.run([sys.executable, '-c', {BUSY!r}])"
)


def test_processes_and_their_children_count() -> None:
    with session(BUSY) as alone, session(PARENT) as parent:
        found = used_so_far({"alone": alone, "parent": parent})
    assert found["alone"][1] > 60 * MIB
    assert found["alone"][0] > 0
    assert found["parent"][1] > 60 * MIB
    assert found["parent"][0] > 1.2 * found["alone"][0]


def test_processes_that_are_gone_use_nothing() -> None:
    assert used_so_far({"a": GONE}) == {}
    assert usage._used(GONE) == (0.0, 0)  # one that goes while it is looked at


@pytest.mark.asyncio
async def test_uses_by_what_is_scaled() -> None:
    """Only of replicas that are ready, and only of units that were asked for."""

    def state(pid: int, phase: Phase = Phase.READY) -> ProcessState:
        return ProcessState(phase, 0.0, pid=pid)

    states = {
        "default/iris/predictor-00001-0": state(1),
        "default/iris/predictor-00001-1": state(2),
        "default/iris/predictor-00001-2": state(3, Phase.STARTING),
        "default/iris/predictor-00002-0": state(4),
        "default/other/predictor-00001-0": state(5),
    }
    units = {("default/iris", "iris-00001"): ("default/iris", "predictor-00001")}
    looked: list[set[int]] = []
    times = iter((0.0, 10.0))

    def look(sessions: Mapping[str, int]) -> Used:
        looked.append({*sessions.values()})
        return {key: (float(pid * len(looked)), pid) for key, pid in sessions.items()}

    uses = UnitUsage(lambda: states, units.get, Meter(look, lambda: next(times)))
    (scaled,) = units
    gone = ("default/gone", "gone-00001")
    assert await uses([scaled, gone]) == {scaled: []}
    assert await uses([scaled, gone]) == {scaled: [Use(0.1, 1.0), Use(0.2, 2.0)]}
    assert looked == [{1, 2}, {1, 2}]
