"""The router as the control plane sees it: who has been withdrawn is called no more."""

import asyncio
from collections.abc import Collection, Mapping
from typing import cast

from cli.router_side import RouterSide
from controller.endpoints import Endpoint, whole
from router.config import EndpointSource
from router.parent import Parent

OLD, NEW = "http://127.0.0.1:20001", "http://127.0.0.1:20002"


class Workers:
    """They have each table at once, and nobody calls."""

    def __init__(self) -> None:
        self.in_flight_at: dict[str, int] = {}

    def set_endpoints(self, endpoints: Mapping[str, EndpointSource]) -> None:
        pass

    async def settled(self) -> None:
        pass

    def in_flight(self, addresses: Collection[str]) -> int:
        return sum(self.in_flight_at.get(address, 0) for address in addresses)


def side_with(*addresses: str) -> tuple[RouterSide, Workers]:
    workers = Workers()
    side = RouterSide(cast(Parent, workers))
    side.set_endpoints(table(*addresses))
    return side, workers


def table(*addresses: str) -> dict[str, Endpoint]:
    return {"default/iris": whole(addresses, "/")}


async def test_it_is_drained_once_it_has_left_the_table_and_its_calls_have_ended() -> None:
    side, workers = side_with(OLD, NEW)
    workers.in_flight_at = {OLD: 1, NEW: 5}
    async with asyncio.TaskGroup() as tasks:
        draining = tasks.create_task(side.drained([OLD], 30.0))
        workers.in_flight_at[OLD] = 0
        done, _ = await asyncio.wait([draining], timeout=0.2)
        assert not done
        side.set_endpoints(table(NEW))
    assert draining.result()


async def test_it_is_not_waited_for_beyond_the_limit() -> None:
    side, workers = side_with(OLD, NEW)
    assert not await side.drained([OLD], 0.01)
    side.set_endpoints(table(NEW))
    workers.in_flight_at[OLD] = 1
    assert not await side.drained([OLD], 0.01)
