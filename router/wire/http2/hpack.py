"""Header blocks (RFC 7541) to fields and back.

Ours, over the tables and the Huffman code of the `hpack` package, whose own decoder copies the rest
of the block for each field (64 KiB of small ones take a second) and costs 23 us for a call's nine.
Both agree on every block that the tests can think of.

We never add to the peer's table, and tell it to use none of ours: then a block means the same
whenever it comes, and one that was read before is not read again. Until the peer has heard so, it
may use the table; what is remembered ends with each change of it.
"""

from typing import Any

from hpack.exceptions import HPACKDecodingError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from graph.effects import Headers
from router.wire.http2.codes import Broken, ErrorCode

ENTRY_BYTES = 32  # added to each field by section 4.1, and where its size is limited
FIRST_TABLE_BYTES = 4096  # until our setting is known
REMEMBERED = 128  # blocks
REMEMBERED_BYTES = 1024  # of a block
REMEMBERED_TEXT_BYTES = 128  # of a string in Huffman's code: one of 40 bytes costs 10 us to read
INTEGER_BYTES = 5  # more can only be an attack: nothing in a block is that long

_STATIC: tuple[tuple[bytes, bytes], ...] = tuple(HeaderTable.STATIC_TABLE)
_NAMES = {name: index for index, (name, _) in reversed(list(enumerate(_STATIC, 1)))}
_WHOLE = {field: index for index, field in enumerate(_STATIC, 1)}

# The first thing that an encoder says: we use no table. It holds for any limit that follows.
NO_TABLE = b"\x20"


class Fields:
    """A block that was read. `meaning` is for whoever makes something of it: equal blocks share."""

    __slots__ = ("headers", "meaning")

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.meaning: Any = None


class Decoder:
    """Of one connection. Faults end it: the table would no longer be the peer's."""

    __slots__ = (
        "_count", "_known", "_size", "_table", "_table_limit", "_table_size", "_texts", "allowed",
    )  # fmt: skip

    def __init__(self, list_bytes: int, count: int) -> None:
        self.allowed = FIRST_TABLE_BYTES  # what the table may grow to, as the peer knows
        self._size = list_bytes
        self._count = count
        self._table: list[tuple[bytes, bytes]] = []  # newest first
        self._table_size = 0
        self._table_limit = FIRST_TABLE_BYTES
        self._known: dict[bytes, Fields] = {}
        self._texts: dict[bytes, bytes] = {}

    def decode(self, block: bytes) -> Fields:
        found = self._known.get(block)
        if found is not None:
            return found
        try:
            headers, changed = self._read(block)
        except (IndexError, HPACKDecodingError):
            raise Broken(ErrorCode.COMPRESSION_ERROR, "a header block cannot be read") from None
        fields = Fields(headers)
        if changed:
            self._known.clear()
        elif len(block) <= REMEMBERED_BYTES:
            if len(self._known) >= REMEMBERED:
                self._known.clear()  # those that are in use come back at once
            self._known[block] = fields
        return fields

    def _read(self, block: bytes) -> tuple[Headers, bool]:
        headers: list[tuple[bytes, bytes]] = []
        size, at, end = 0, 0, len(block)
        changed = False
        while at < end:
            first = block[at]
            if first & 0x80:
                index, at = _integer(block, at, 0x7F)
                field = self._entry(index)
            elif first & 0xE0 == 0x20:
                if headers:
                    raise Broken(
                        ErrorCode.COMPRESSION_ERROR, "a change of the table within a block"
                    )
                limit, at = _integer(block, at, 0x1F)
                self._resize(limit)
                changed = True
                continue
            else:
                adds = first & 0x40
                index, at = _integer(block, at, 0x3F if adds else 0x0F)
                if index:
                    name = self._entry(index)[0]
                else:
                    name, at = self._string(block, at)
                value, at = self._string(block, at)
                field = name, value
                if adds and self._table_limit:  # gRPC's C core adds even where nothing is kept
                    self._add(field)
                    changed = True
            headers.append(field)
            size += len(field[0]) + len(field[1]) + ENTRY_BYTES
            if size > self._size or len(headers) > self._count:
                raise Broken(ErrorCode.ENHANCE_YOUR_CALM, "too many headers")
        return tuple(headers), changed

    def _string(self, block: bytes, at: int) -> tuple[bytes, int]:
        coded = block[at] & 0x80
        length, at = _integer(block, at, 0x7F)
        stop = at + length
        if stop > len(block):
            raise IndexError
        text = block[at:stop]
        return (self._plain(text) if coded else text), stop

    def _plain(self, coded: bytes) -> bytes:
        text = self._texts.get(coded)
        if text is None:
            text = decode_huffman(coded)
            if len(coded) <= REMEMBERED_TEXT_BYTES:
                if len(self._texts) >= REMEMBERED:
                    self._texts.clear()
                self._texts[coded] = text
        return text

    def _entry(self, index: int) -> tuple[bytes, bytes]:
        if index == 0:
            raise IndexError
        if index <= len(_STATIC):
            return _STATIC[index - 1]
        return self._table[index - len(_STATIC) - 1]

    def _resize(self, limit: int) -> None:
        if limit > self.allowed:
            raise Broken(ErrorCode.COMPRESSION_ERROR, "a header table larger than allowed")
        self._table_limit = limit
        self._evict()

    def _add(self, field: tuple[bytes, bytes]) -> None:
        self._table.insert(0, field)
        self._table_size += len(field[0]) + len(field[1]) + ENTRY_BYTES
        self._evict()

    def _evict(self) -> None:
        while self._table_size > self._table_limit:
            name, value = self._table.pop()
            self._table_size -= len(name) + len(value) + ENTRY_BYTES


def _integer(block: bytes, at: int, prefix: int) -> tuple[int, int]:
    """The value, and where the rest begins (section 5.1)."""
    value = block[at] & prefix
    at += 1
    if value < prefix:
        return value, at
    shift = 0
    for _ in range(INTEGER_BYTES):
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Broken(ErrorCode.COMPRESSION_ERROR, "an integer of a header block is too long")


def encode(headers: Headers) -> bytes:
    """A block of these, that leaves the table alone."""
    return b"".join([_field(name, value) for name, value in headers])


def _field(name: bytes, value: bytes) -> bytes:
    whole = _WHOLE.get((name, value))
    if whole is not None:
        return bytes((0x80 | whole,))
    index = _NAMES.get(name)
    start = b"\x00" + _counted(name) if index is None else _number(index, 0x0F)
    return start + _counted(value)


def _counted(text: bytes) -> bytes:
    return _number(len(text), 0x7F) + text


def _number(value: int, prefix: int) -> bytes:
    if value < prefix:
        return bytes((value,))
    digits = bytearray((prefix,))
    value -= prefix
    while value > 0x7F:
        digits.append(0x80 | value & 0x7F)
        value >>= 7
    digits.append(value)
    return bytes(digits)
