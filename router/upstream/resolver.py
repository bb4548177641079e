"""Host names -> socket addresses, refreshed while they are in use.

A headless Service has one name and many changing addresses; connections that live for hours must
notice. Literal addresses and unix sockets never change.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from itertools import count

Address = tuple[int, str, int]  # family, host, port


@dataclass(slots=True)
class _Entry:
    addresses: list[Address]
    at: float


class Resolver:
    def __init__(self, loop: asyncio.AbstractEventLoop, refresh_s: float) -> None:
        self._loop = loop
        self._refresh_s = refresh_s
        self._known: dict[tuple[str, int], _Entry] = {}
        self._asking: dict[tuple[str, int], asyncio.Lock] = {}  # a name is asked for once at a time
        self._turn = count()

    async def resolve(self, host: str, port: int) -> list[Address]:
        """Addresses to try, in an order that moves on by one each time. Raises OSError."""
        async with self._asking.setdefault((host, port), asyncio.Lock()):
            entry = self._known.get((host, port))
            if entry is None or self._loop.time() - entry.at > self._refresh_s:
                entry = _Entry(await self._ask(host, port), self._loop.time())
                self._known[host, port] = entry
        turn = next(self._turn) % len(entry.addresses)
        return entry.addresses[turn:] + entry.addresses[:turn]

    def stale(self, host: str, port: int) -> bool:
        entry = self._known.get((host, port))
        return (
            entry is not None
            and self._loop.time() - entry.at > self._refresh_s
            and not _is_literal(host)
        )

    def forget(self, host: str, port: int) -> None:
        self._known.pop((host, port), None)

    async def _ask(self, host: str, port: int) -> list[Address]:
        if _is_literal(host):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [(family, host, port)]
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys((info[0], str(info[4][0]), port) for info in found))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
