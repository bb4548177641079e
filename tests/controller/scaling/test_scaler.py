"""Scaling on virtual time: what is measured, when it is decided upon, and who hears of it."""

import asyncio
from dataclasses import replace

import pytest

from controller.scaling.decide import Mode
from controller.scaling.policy import ByRequests, ByResources, Goal, Metric, Policy
from controller.scaling.scaler import Scaled, Scaler
from tests.controller.scaling.simulation import KEY, REVISION, SERVICE, Simulation, simulated

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

TEN = ByRequests(target=10.0)
LOOK_S = 2.0  # a second is over, and somebody looks


def scaled(simulation: Simulation) -> Scaled:
    found = simulation.scaler.decisions(SERVICE)[KEY]
    assert isinstance(found, Scaled)
    return found


async def test_a_load_that_doubles_and_halves_is_followed_within_the_windows() -> None:
    async with simulated(Simulation(Policy(1, 20, TEN), concurrency=20)) as iris:
        await iris.until(2, TEN.stable_s)
        assert await iris.during(120) == {2}
        iris.concurrency = 40
        await iris.until(4, TEN.stable_s + LOOK_S)
        assert await iris.during(120) == {4}
        iris.concurrency = 20
        took = await iris.until(2, TEN.stable_s + LOOK_S)
        assert took > TEN.stable_s / 2
        assert await iris.during(120) == {2}


async def test_a_slow_rise_is_followed_without_panic() -> None:
    async with simulated(Simulation(Policy(1, 20, TEN), concurrency=40, resumed=4)) as iris:
        await iris.during(TEN.stable_s)
        iris.concurrency = 60
        took = await iris.until(6, TEN.stable_s + LOOK_S)
        assert took > TEN.panic_s
        assert scaled(iris).decision.mode is Mode.STABLE
        assert [number for _, number in iris.history] == [4, 5, 6]


async def test_a_burst_is_met_at_once_and_its_replicas_stay() -> None:
    async with simulated(Simulation(Policy(1, 20, TEN), concurrency=5)) as iris:
        assert await iris.during(120) == {1}
        iris.concurrency = 100
        await iris.until(10, TEN.panic_s + LOOK_S)
        assert scaled(iris).decision.mode is Mode.PANIC
        await iris.during(5)  # in which they start
        iris.concurrency = 5
        assert await iris.during(TEN.stable_s - TEN.panic_s) == {10}
        await iris.until(1, TEN.stable_s)


async def test_nobody_calls_and_the_last_replica_goes() -> None:
    async with simulated(Simulation(Policy(0, 3, TEN), concurrency=1)) as iris:
        assert await iris.during(120) == {1}
        iris.concurrency = 0
        took = await iris.until(0, TEN.stable_s + TEN.linger_s + LOOK_S)
        assert took >= TEN.stable_s + TEN.linger_s
        assert scaled(iris).decision.reason == "no request for 60 s"
        assert await iris.during(300) == {0}


async def test_a_new_revision_that_nobody_calls_goes_once_it_could_have_been_called() -> None:
    async with simulated(Simulation(Policy(0, 3, TEN), start_s=300)) as iris:
        took = await iris.until(0, 300 + TEN.stable_s + TEN.linger_s + LOOK_S)
        assert took >= 300 + TEN.stable_s + TEN.linger_s


async def test_calls_between_two_samples_keep_it() -> None:
    async with simulated(Simulation(Policy(0, 3, TEN), rps=1)) as iris:
        assert await iris.during(600) == {1}


async def test_a_call_that_waits_is_heard_at_once() -> None:
    async with simulated(Simulation(Policy(0, 3, TEN), resumed=0)) as iris:
        assert await iris.during(120) == {0}
        iris.concurrency, before = 1, iris.now()
        iris.scaler.waiting(SERVICE)
        assert (iris.wanted(), iris.now(), iris.changes) == (1, before, [SERVICE])
        assert scaled(iris).decision.reason == "a call waits"
        assert await iris.during(120) == {1}


async def test_many_calls_that_wait_start_many_replicas() -> None:
    async with simulated(Simulation(Policy(0, 8, TEN), resumed=0, start_s=20)) as iris:
        iris.concurrency = 200
        iris.scaler.waiting(SERVICE)
        assert iris.wanted() == 1
        await iris.until(8, TEN.panic_s + LOOK_S)
        assert scaled(iris).decision.capped


async def test_a_caller_that_waited_and_left_has_started_one_all_the_same() -> None:
    async with simulated(Simulation(Policy(0, 3, TEN), resumed=0)) as iris:
        iris.scaler.waiting(SERVICE)
        assert iris.wanted() == 1
        await iris.until(0, TEN.stable_s + TEN.linger_s + LOOK_S)


async def test_who_has_replicas_is_not_started_by_a_call_that_waits() -> None:
    async with simulated(Simulation(Policy(0, 3, TEN), concurrency=1)) as iris:
        iris.scaler.waiting(SERVICE)
        assert (iris.wanted(), iris.changes) == (1, [])


async def test_a_fixed_zero_is_not_started_by_a_call() -> None:
    async with simulated(Simulation(Policy(0, 0), concurrency=1)) as iris:
        iris.scaler.waiting(SERVICE)
        assert (iris.wanted(), iris.changes) == (0, [])


async def test_requests_per_second() -> None:
    policy = Policy(1, 9, replace(TEN, metric=Metric.RPS))
    async with simulated(Simulation(policy, rps=35)) as iris:
        await iris.until(4, TEN.panic_s + LOOK_S)
        assert await iris.during(120) == {4}


async def test_cpu() -> None:
    by = ByResources((Goal("cpu", 0.5, "50% of 1"),))
    async with simulated(Simulation(Policy(1, 9, by), cores=0.5)) as iris:
        assert await iris.during(60) == {1}
        iris.cores = 1.5
        await iris.until(3, 2 * by.every_s)
        iris.cores = 0.5
        took = await iris.until(1, by.down_window_s + 2 * by.every_s)
        assert took > by.down_window_s - by.every_s


async def test_a_settled_revision_is_no_news() -> None:
    async with simulated(Simulation(Policy(0, 9, TEN), concurrency=25)) as iris:
        await iris.until(3, TEN.stable_s + LOOK_S)
        await iris.during(2 * TEN.stable_s)  # its panic ends
        iris.changes.clear()
        await iris.during(1800)
        assert iris.changes == []


async def test_other_bounds_count_at_once() -> None:
    async with simulated(Simulation(Policy(1, 9, TEN), concurrency=50)) as iris:
        await iris.until(5, TEN.stable_s)
        iris.policy = Policy(1, 2, TEN)
        assert iris.wanted() == 2
        iris.policy = Policy(7, 9, TEN)
        assert iris.wanted() == 7


async def test_another_window_begins_anew() -> None:
    async with simulated(Simulation(Policy(1, 9, TEN), concurrency=50)) as iris:
        await iris.until(5, TEN.stable_s)
        iris.concurrency, iris.policy = 20, Policy(1, 9, replace(TEN, stable_s=6, panic_s=1))
        await iris.until(2, TEN.stable_s + 6 + LOOK_S)  # what is left of its panic, and the window


async def test_what_cannot_change_is_not_measured() -> None:
    async with simulated(Simulation(Policy(2, 2, TEN), concurrency=50)) as iris:
        assert await iris.during(60) == {2}
        assert iris.asked == 0
        iris.policy = Policy(1, 9, TEN)
        await iris.until(5, TEN.stable_s)
        assert iris.asked > 0


async def test_without_a_meter_the_number_stays() -> None:
    """And a service that nobody has called yet has no numbers either."""
    by = ByResources((Goal("cpu", 0.5, "50% of 1"),))
    clock = asyncio.get_running_loop().time
    scaler = Scaler(dict, lambda _service: None, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(scaler.run())
        scaler.replicas(SERVICE, "by-cpu", Policy(2, 9, by))
        scaler.replicas(SERVICE, "by-calls", Policy(0, 9, TEN))
        await asyncio.sleep(300)
        assert scaler.replicas(SERVICE, "by-cpu", Policy(2, 9, by)) == 2
        assert scaler.replicas(SERVICE, "by-calls", Policy(0, 9, TEN)) == 0
        running.cancel()


async def test_what_a_run_before_decided_is_kept() -> None:
    async with simulated(Simulation(Policy(0, 9, TEN), concurrency=50, resumed=5)) as iris:
        assert iris.history == [(iris.now(), 5)]
        assert await iris.during(60) == {5}


async def test_of_what_is_forgotten_nothing_is_kept() -> None:
    async with simulated(Simulation(Policy(1, 9, TEN))) as iris:
        iris.scaler.replicas(SERVICE, "iris-00002", iris.policy)
        iris.scaler.replicas(f"{SERVICE}-predictor-00001", "", iris.policy, owner=SERVICE)
        iris.scaler.replicas("default/other", "other-00001", iris.policy)
        assert len(iris.scaler.decisions(SERVICE)) == 3
        iris.scaler.forget(SERVICE, but={KEY})
        assert list(iris.scaler.decisions(SERVICE)) == [(SERVICE, REVISION)]
        iris.scaler.forget(SERVICE)
        assert not iris.scaler.decisions(SERVICE)
        assert iris.scaler.decisions("default/other")
