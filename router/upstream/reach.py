"""Whether somebody takes connections at an address, without a word to him."""

import asyncio
import ssl

from router.upstream.origin import Origin
from router.upstream.resolver import Resolver


async def reach(
    origin: Origin, resolver: Resolver, tls: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop
) -> None:
    """Raises OSError if nobody does."""
    if origin.unix_path is not None:
        transport, _ = await loop.create_unix_connection(asyncio.Protocol, origin.unix_path)
        transport.abort()
        return
    assert origin.host is not None
    failed: OSError | None = None
    for family, host, port in await resolver.resolve(origin.host, origin.port):
        try:
            transport, _ = await loop.create_connection(
                asyncio.Protocol,
                host,
                port,
                family=family,
                ssl=tls,
                server_hostname=origin.host if tls is not None else None,
            )
        except OSError as error:
            failed = error
        else:
            transport.abort()
            return
    resolver.forget(origin.host, origin.port)
    assert failed is not None
    raise failed
