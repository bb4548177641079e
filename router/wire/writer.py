"""Pieces of a body -> bytes on a connection, framed as its head said. For both sides."""

import asyncio

JOINED_BYTES = 65_536  # pieces up to this are copied once rather than written in three parts
LAST_CHUNK = b"0\r\n\r\n"


def write_piece(transport: asyncio.Transport, piece: bytes, chunked: bool) -> None:
    """`piece` must not be empty: an empty chunk is the last one."""
    if not chunked:
        transport.write(piece)
    elif len(piece) <= JOINED_BYTES:
        transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    else:
        transport.writelines((b"%x\r\n" % len(piece), piece, b"\r\n"))
