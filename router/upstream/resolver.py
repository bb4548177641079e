"""Host names -> socket addresses, refreshed while they are in use.

A headless Service has one name and many changing addresses; connections that live for hours must
notice. Literal addresses and unix sockets never change.
"""

import asyncio
import contextlib
import ipaddress
import socket
from dataclasses import dataclass

Address = tuple[int, str, int]  # family, host, port


@dataclass(slots=True)
class _Entry:
    addresses: list[Address]
    asked_at: float
    turn: int = 0


class Resolver:
    def __init__(self, loop: asyncio.AbstractEventLoop, refresh_s: float) -> None:
        self._loop = loop
        self._refresh_s = refresh_s
        self._known: dict[tuple[str, int], _Entry] = {}
        self._asking: dict[tuple[str, int], asyncio.Lock] = {}  # a new name is asked for once

    async def resolve(self, host: str, port: int) -> list[Address]:
        """Addresses to try, in an order that moves on by one each time. Raises OSError, but not
        for a name that was known: a name server that is away for a moment takes nobody down.
        """
        key = host, port
        entry = self._known.get(key)
        if entry is None:
            async with self._asking.setdefault(key, asyncio.Lock()):
                entry = self._known.get(key)
                if entry is None:
                    entry = _Entry(await self._ask(host, port), self._loop.time())
                    self._known[key] = entry
        elif self._loop.time() - entry.asked_at > self._refresh_s:
            entry.asked_at = self._loop.time()  # the others go on with what is known
            with contextlib.suppress(OSError):
                entry.addresses = await self._ask(host, port)
        entry.turn = turn = (entry.turn + 1) % len(entry.addresses)
        return entry.addresses[turn:] + entry.addresses[:turn]

    def stale(self, host: str, port: int) -> bool:
        entry = self._known.get((host, port))
        return (
            entry is not None
            and self._loop.time() - entry.asked_at > self._refresh_s
            and not _is_literal(host)
        )

    def forget(self, host: str, port: int) -> None:
        self._known.pop((host, port), None)

    async def _ask(self, host: str, port: int) -> list[Address]:
        if _is_literal(host):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [(family, host, port)]
        try:
            found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:  # a label that is empty or too long for a name
            raise socket.gaierror(socket.EAI_NONAME, "no name of the DNS") from None
        return list(dict.fromkeys((info[0], str(info[4][0]), port) for info in found))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
