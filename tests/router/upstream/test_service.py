"""Calls to a service: which revision and replica they go to, how they wait, what is counted."""

from collections import Counter
from collections.abc import AsyncIterator
from random import Random

import pytest

from router.config import EndpointSource, RevisionSource
from router.loads import ServiceLoad, in_flight, service_loads
from tests.kit.eventually import eventually
from tests.kit.predictor import Predictor
from tests.kit.scripts import Gate, hold, never, reply, reset
from tests.router.upstream.asking import Asking, table

OVERDUE_S = 0.02
CRITICAL = (1e-9, 10.83, 13.82)  # chi-square by degrees of freedom: one sample of 1000 is above


@pytest.fixture
async def asking() -> AsyncIterator[Asking]:
    asking = Asking()
    yield asking
    asking.close()


@pytest.fixture
async def impatient() -> AsyncIterator[Asking]:
    """It holds two calls, and not for long."""
    asking = Asking(held=2, hold_timeout_s=OVERDUE_S)
    yield asking
    asking.close()


def held(asking: Asking) -> int:
    return sum(load.held for load in service_loads(asking.ledger).values())


async def dead_origin() -> str:
    """Where nobody listens."""
    async with Predictor() as gone:
        return gone.origin


# which revision


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param({"old": 90, "new": 10}, id="a canary of ten percent"),
        pytest.param({"old": 50, "new": 50}, id="halves"),
        pytest.param({"a": 1, "b": 19, "c": 80}, id="three"),
        pytest.param({"old": 100, "new": 0}, id="a dark launch gets nothing"),
    ],
)
async def test_shares_are_those_of_the_table(asking: Asking, shares: dict[str, int]) -> None:
    source = table(*[(name, share, ()) for name, share in shares.items()])["ns/iris"]
    service = asking.upstream._service("ns/iris", source)
    random = Random(7)
    drawn = Counter(service.draw(random.getrandbits(64)).name for _ in range(20_000))
    expected = {name: share * 200 for name, share in shares.items() if share}
    assert drawn.keys() == expected.keys()
    chi_square = sum((drawn[name] - wanted) ** 2 / wanted for name, wanted in expected.items())
    assert chi_square < CRITICAL[len(expected) - 1]


async def test_one_request_sees_one_revision(asking: Asking) -> None:
    async with Predictor() as old, Predictor() as new:
        asking.install(table(("old", 50, [old.origin]), ("new", 50, [new.origin])))
        for seed in range(10):
            calls = [asking.start(seed=seed * 0x9E3779B97F4A7C15) for _ in range(4)]
            assert [await call.status() for call in calls] == [200] * 4
            assert len({call.call.revision for call in calls}) == 1
        assert old.served + new.served == 40
        assert min(old.served, new.served) > 0


async def test_a_revision_with_a_path_of_its_own_is_called_there(asking: Asking) -> None:
    async with Predictor() as old, Predictor() as new:
        sources = (
            RevisionSource("old", 50, (old.origin,)),
            RevisionSource("new", 50, (new.origin,), "/v2/models/iris/infer"),
        )
        asking.install({"ns/iris": EndpointSource("/p", sources)})
        for seed in range(10):
            assert await asking.start(seed=seed * 0x9E3779B97F4A7C15).status() == 200
        assert {request.path for request in old.requests} == {b"/p"}
        assert {request.path for request in new.requests} == {b"/v2/models/iris/infer"}


async def test_two_services_draw_for_themselves(asking: Asking) -> None:
    rows = table(("a", 50, ()), ("b", 50, ()))["ns/iris"]
    one, other = (asking.upstream._service(key, rows) for key in ("ns/one", "ns/other"))
    random = Random(3)
    seeds = [random.getrandbits(64) for _ in range(2000)]
    alike = sum(one.draw(seed).name == other.draw(seed).name for seed in seeds)
    assert 850 < alike < 1150


# which replica


async def test_equals_take_turns(asking: Asking) -> None:
    async with Predictor() as one, Predictor() as two, Predictor() as three:
        asking.install(table(("", 100, [one.origin, two.origin, three.origin])))
        for _ in range(9):
            await asking.ask()
        assert (one.served, two.served, three.served) == (3, 3, 3)


async def test_the_least_busy_is_asked(asking: Asking) -> None:
    gate = Gate()
    async with Predictor() as slow, Predictor() as quick:
        slow.default = hold(gate)
        asking.install(table(("", 100, [slow.origin, quick.origin])))
        calls = [asking.start() for _ in range(2)]
        await eventually(lambda: slow.heads == 1 and quick.served == 1)
        for _ in range(5):
            assert await asking.start().status() == 200
        assert (slow.heads, quick.served) == (1, 6)
        gate.open()
        assert [await call.status() for call in calls] == [200, 200]


async def test_a_dead_replica_costs_no_call_that_was_not_sent(asking: Asking) -> None:
    dead = await dead_origin()
    async with Predictor() as alive:
        asking.install(table(("", 100, [dead, alive.origin])))
        calls = [asking.start() for _ in range(50)]
        assert [await call.status() for call in calls] == [200] * 50
        assert alive.served == 50
        assert service_loads(asking.ledger) == {("ns/iris", ""): ServiceLoad(0, 0, 50, 0)}


async def test_a_replica_that_refused_is_asked_again_a_second_later(asking: Asking) -> None:
    async with Predictor() as one, Predictor() as other:
        asking.install(table(("", 100, [one.origin, other.origin])))
        one.refuse()
        assert [await asking.start().status() for _ in range(4)] == [200] * 4
        await one.listen()
        asking.upstream.sweep()
        assert [await asking.start().status() for _ in range(4)] == [200] * 4
        assert one.served == 2


async def test_a_revision_whose_replicas_all_refuse_is_stood_in_for(asking: Asking) -> None:
    dead = await dead_origin()
    async with Predictor() as alive:
        asking.install(table(("stable", 1, [alive.origin]), ("canary", 99, [dead])))
        calls = [asking.start(seed=seed * 0x9E3779B97F4A7C15) for seed in range(20)]
        assert [await call.status() for call in calls] == [200] * 20
        assert {call.call.revision for call in calls} == {"stable"}


async def test_when_every_replica_refuses_the_caller_hears_of_it(asking: Asking) -> None:
    dead = [await dead_origin(), await dead_origin()]
    asking.install(table(("", 100, dead)))
    for _ in range(3):
        kind, cause = await asking.start().failure()
        assert kind == "connect"
        assert "connection refused" in cause
    assert service_loads(asking.ledger)["ns/iris", ""].errors == 3


async def test_a_call_of_which_a_byte_was_sent_is_not_repeated(asking: Asking) -> None:
    async with Predictor() as one, Predictor() as other:
        one.default = other.default = reset()
        asking.install(table(("", 100, [one.origin, other.origin]), hold=True))
        kind, _ = await asking.start().failure()
        assert kind == "reset"
        assert one.served + other.served == 1


# calls that wait


async def test_calls_wait_for_the_first_replica_and_none_is_lost(asking: Asking) -> None:
    asking.install(table(("r1", 100, ()), hold=True))
    calls = [asking.start() for _ in range(200)]
    assert asking.waiting == ["ns/iris"]
    assert service_loads(asking.ledger) == {("ns/iris", "r1"): ServiceLoad(held=200)}
    async with Predictor() as predictor:
        asking.install(table(("r1", 100, [predictor.origin]), hold=True))
        assert held(asking) == 0
        assert [await call.status() for call in calls] == [200] * 200
        assert predictor.served == 200
    assert service_loads(asking.ledger) == {("ns/iris", "r1"): ServiceLoad(requests=200)}


async def test_waiting_is_said_again_when_it_begins_again(asking: Asking) -> None:
    asking.install(table(("r1", 100, ()), hold=True))
    for times in (1, 2):
        calls = [asking.start(), asking.start()]
        assert asking.waiting == ["ns/iris"] * times
        for call in calls:
            call.running.cancel()
        assert held(asking) == 0


async def test_no_more_wait_than_there_is_room_for(impatient: Asking) -> None:
    impatient.install(table(("", 100, ()), hold=True))
    calls = [impatient.start() for _ in range(3)]
    kind, cause = await calls[2].failure()
    assert (kind, cause) == (
        "overload",
        "service ns/iris: 2 calls wait for its first replica already",
    )


async def test_nobody_waits_for_ever(impatient: Asking) -> None:
    impatient.install(table(("", 100, ()), hold=True))
    assert await impatient.start().failure() == (
        "unresolved",
        f"service ns/iris: no replica became ready within {OVERDUE_S:g} s",
    )
    load = service_loads(impatient.ledger)["ns/iris", ""]
    assert load == ServiceLoad(requests=1, errors=1)


async def test_a_caller_that_leaves_waits_no_longer(asking: Asking) -> None:
    asking.install(table(("", 100, ()), hold=True))
    leaves, stays = asking.start(), asking.start()
    leaves.running.cancel()
    assert held(asking) == 1
    async with Predictor() as predictor:
        asking.install(table(("", 100, [predictor.origin]), hold=True))
        assert await stays.status() == 200
        assert predictor.served == 1
    assert not leaves.answers
    assert asking.figures("graphway_service_requests_total") == {
        (("code", "200"), ("revision", ""), ("service", "ns/iris")): 1,
        (("code", "cancelled"), ("revision", ""), ("service", "ns/iris")): 1,
    }


async def test_calls_wait_for_the_revision_that_they_drew(asking: Asking) -> None:
    async with Predictor() as old, Predictor() as new:
        asking.install(table(("old", 50, [old.origin]), ("new", 50, ()), hold=True))
        calls = [asking.start(seed=seed * 0x9E3779B97F4A7C15) for seed in range(40)]
        waiting = held(asking)
        assert 0 < waiting < 40
        asking.install(table(("old", 50, [old.origin]), ("new", 50, [new.origin]), hold=True))
        assert [await call.status() for call in calls] == [200] * 40
        assert (old.served, new.served) == (40 - waiting, waiting)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param((("other", 100),), id="another takes all"),
        pytest.param((("other", 100), ("r1", 0)), id="its share is gone"),
    ],
)
async def test_calls_for_a_revision_that_is_gone_draw_anew(
    asking: Asking, after: tuple[tuple[str, int], ...]
) -> None:
    asking.install(table(("r1", 100, ()), hold=True))
    calls = [asking.start() for _ in range(5)]
    async with Predictor() as predictor:
        at = [predictor.origin]
        asking.install(
            table(*[(name, share, at if share else ()) for name, share in after], hold=True)
        )
        assert [await call.status() for call in calls] == [200] * 5
    assert service_loads(asking.ledger) == {
        ("ns/iris", "r1"): ServiceLoad(),
        ("ns/iris", "other"): ServiceLoad(requests=5),
    }


async def test_the_end_of_holding_ends_the_waiting(asking: Asking) -> None:
    asking.install(table(("", 100, ()), hold=True))
    call = asking.start()
    asking.install(table(("", 100, ()), hold=False))
    assert await call.failure() == ("unresolved", "service ns/iris has no ready replica")


async def test_the_end_of_the_service_ends_the_waiting(asking: Asking) -> None:
    asking.install(table(("", 100, ()), hold=True))
    call = asking.start()
    asking.install({})
    assert await call.failure() == ("unresolved", "service ns/iris is not known here")
    assert held(asking) == 0


async def test_a_refused_call_waits_for_another_replica(asking: Asking) -> None:
    dead = await dead_origin()
    asking.install(table(("", 100, [dead]), hold=True))
    calls = [asking.start() for _ in range(10)]
    await eventually(lambda: held(asking) == 10, "refused, and waiting")
    async with Predictor() as predictor:
        asking.install(table(("", 100, [predictor.origin]), hold=True))
        assert [await call.status() for call in calls] == [200] * 10


async def test_a_refused_call_asks_the_same_replica_again_a_second_later(asking: Asking) -> None:
    async with Predictor() as predictor:
        predictor.refuse()
        asking.install(table(("", 100, [predictor.origin]), hold=True))
        call = asking.start()
        await eventually(lambda: held(asking) == 1, "refused, and waiting")
        await predictor.listen()
        asking.upstream.sweep()
        assert await call.status() == 200


async def test_a_service_without_revisions_is_waited_for_too(asking: Asking) -> None:
    asking.install(table(hold=True))
    call = asking.start()
    assert held(asking) == 1
    async with Predictor() as predictor:
        asking.install(table(("r1", 100, [predictor.origin]), hold=True))
        assert await call.status() == 200


# what is counted


async def test_a_replica_that_is_taken_away_finishes_what_it_has(asking: Asking) -> None:
    gate = Gate()
    async with Predictor() as leaving, Predictor() as staying:
        leaving.default = hold(gate)
        asking.install(table(("", 100, [leaving.origin])))
        calls = [asking.start() for _ in range(3)]
        await eventually(lambda: leaving.heads == 3)
        asking.install(table(("", 100, [staying.origin])))
        assert in_flight(asking.ledger, {leaving.origin}) == 3
        assert await asking.start().status() == 200
        assert leaving.heads == 3
        gate.open()
        assert [await call.status() for call in calls] == [200] * 3
        assert in_flight(asking.ledger, {leaving.origin, staying.origin}) == 0


async def test_figures_by_service_and_revision(asking: Asking) -> None:
    gate = Gate()
    async with Predictor() as predictor:
        predictor.on("/p", reply(), reply(status=500), reply(status=404), hold(gate))
        asking.install(table(("r1", 100, [predictor.origin])))
        for status in (200, 500, 404):
            assert await asking.start().status() == status
        last = asking.start()
        await eventually(lambda: predictor.heads == 4)
        of = (("revision", "r1"), ("service", "ns/iris"))
        assert asking.figures("graphway_service_requests_in_flight") == {of: 1}
        assert asking.figures("graphway_replica_requests_in_flight") == {
            (("target", predictor.origin),): 1
        }
        assert asking.figures("graphway_service_requests_total") == {
            (("code", code), *of): 1 for code in ("200", "404", "500")
        }
        assert service_loads(asking.ledger) == {
            ("ns/iris", "r1"): ServiceLoad(in_flight=1, requests=3, errors=1)
        }
        last.running.cancel()
        assert service_loads(asking.ledger) == {
            ("ns/iris", "r1"): ServiceLoad(requests=4, errors=1)
        }


async def test_what_two_revisions_share_is_counted_once(asking: Asking) -> None:
    async with Predictor() as predictor:
        predictor.default = never()
        at = [predictor.origin]
        asking.install(table(("a", 50, at), ("b", 50, at)))
        calls = [asking.start(seed=seed * 0x9E3779B97F4A7C15) for seed in range(8)]
        assert in_flight(asking.ledger, {predictor.origin}) == 8
        for call in calls:
            call.running.cancel()
        assert in_flight(asking.ledger, {predictor.origin}) == 0


async def test_an_address_that_is_none_is_passed_over(asking: Asking) -> None:
    async with Predictor() as predictor:
        asking.install(table(("", 100, ["ftp://nowhere", predictor.origin])))
        assert [await asking.start().status() for _ in range(3)] == [200] * 3


async def test_figures_of_a_service_outlive_it(asking: Asking) -> None:
    async with Predictor() as predictor:
        rows = table(("", 100, [predictor.origin]))
        for services in (rows, {}, rows):
            asking.install(services)
            call = asking.start()
            assert await call.answer()
        assert service_loads(asking.ledger)["ns/iris", ""].requests == 2
