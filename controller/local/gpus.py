"""GPUs: what this machine has, who holds what, and who gets which. Pure; an inventory is passed in.

Devices are given whole, as a cluster's device plugin gives them, and for as long as a replica is
wanted: a restart gets the same ones. A device on which a program computes that is none of ours is
not free.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Held = Mapping[str, tuple[str, ...]]  # replica -> UUIDs


@dataclass(frozen=True, slots=True)
class Device:
    uuid: str
    name: str
    index: int
    users: tuple[str, ...] = ()  # programs that compute on it, as one may show them


@dataclass(frozen=True, slots=True)
class NoDevices:
    """Why there are none to be seen."""

    message: str


class Inventory(Protocol):
    def devices(self) -> Sequence[Device] | NoDevices:
        """May take long: it asks the driver."""


@dataclass(frozen=True, slots=True)
class FixedInventory:
    """For tests, and for machines that are only imagined."""

    found: Sequence[Device] | NoDevices

    def devices(self) -> Sequence[Device] | NoDevices:
        return self.found


@dataclass(frozen=True, slots=True)
class NotEnough:
    message: str


def allocate(
    key: str, count: int, devices: Sequence[Device] | NoDevices, held: Held
) -> tuple[str, ...] | NotEnough:
    """UUIDs for this replica, its own ones before others."""
    if isinstance(devices, NoDevices):
        return NotEnough(f"it asks for {_gpus(count)}, and {devices.message}")
    present = {device.uuid for device in devices}
    own = tuple(uuid for uuid in held.get(key, ()) if uuid in present)[:count]
    if len(own) == count:  # its processes may still end on them: that is no use by others
        return own
    holders = {uuid: other for other, uuids in held.items() if other != key for uuid in uuids}
    free = [d.uuid for d in devices if d.uuid not in {*own, *holders} and not d.users]
    if len(own) + len(free) < count:
        return NotEnough(_who_holds(count, devices, holders))
    return (*own, *free[: count - len(own)])


def _who_holds(count: int, devices: Sequence[Device], holders: Mapping[str, str]) -> str:
    held = [
        f"GPU {device.index} ({device.name}) is held by {by}"
        for device in devices
        if (by := holders.get(device.uuid) or ", ".join(device.users))
    ]
    free = len(devices) - len(held)
    words = f"it asks for {_gpus(count)}, and of {len(devices)} here {free or 'none'} "
    return words + "; ".join([f"{'is' if free <= 1 else 'are'} free", *held])


def _gpus(count: int) -> str:
    return f"{count} GPU{'' if count == 1 else 's'}"
