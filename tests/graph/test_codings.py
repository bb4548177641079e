"""Bodies that have to be opened before one can look inside."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from graph.codings import MEMBERS, decoded
from graph.conditions import compile
from graph.document import Document
from graph.packed import Packed, document_of

TEXT = b'{"model":"llama","n":1}' + b" " * 300
zstd = zstandard.ZstdCompressor().compress


def deflated_bare(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


CODINGS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "gzip by its old name": (b"x-gzip", gzip.compress),
    "names without case": (b"GZip", gzip.compress),
    "gzip in two members": (b"gzip", lambda b: gzip.compress(b[:9]) + gzip.compress(b[9:])),
    "deflate": (b"deflate", zlib.compress),
    "deflate without zlib's wrapping": (b"deflate", deflated_bare),
    "brotli": (b"br", brotli.compress),
    "zstd": (b"zstd", zstd),
    "zstd in two frames": (b"zstd", lambda b: zstd(b[:9]) + zstd(b[9:])),
    "two, the last undone first": (b"gzip, br", lambda b: brotli.compress(gzip.compress(b))),
    "identity": (b"identity", bytes),
}
coded = pytest.mark.parametrize("name", CODINGS)


@coded
def test_opens(name: str) -> None:
    coding, pack = CODINGS[name]
    assert decoded(pack(TEXT), coding) == TEXT


@coded
def test_stays_closed_beyond_the_limit(name: str) -> None:
    coding, pack = CODINGS[name]
    packed = pack(TEXT)
    assert decoded(packed, coding, limit=len(TEXT)) is not None or b"," in coding
    assert decoded(packed, coding, limit=len(TEXT) - 1) is None


@pytest.mark.parametrize(
    ("coding", "part"),
    [(b"gzip", gzip.compress(b"1")), (b"zstd", zstd(b"1")), (b"zstd", zstd(b""))],
    ids=["gzip", "zstd", "zstd of nothing"],  # gzip writes the time: it must not be in a name
)
def test_so_many_parts_and_no_more(coding: bytes, part: bytes) -> None:
    """Each costs the time of a call, and a body of 100 MB could have ten million."""
    assert decoded(part * MEMBERS, coding) is not None
    assert decoded(part * (MEMBERS + 1), coding) is None


@pytest.mark.parametrize("name", [name for name in CODINGS if name != "identity"])
def test_cut_or_broken_stays_closed(name: str) -> None:
    coding, pack = CODINGS[name]
    packed = pack(TEXT)
    for end in range(len(packed)):
        opened = decoded(packed[:end], coding)
        # Between two members the body is whole, if not what was meant.
        assert opened is None or ("two" in name and opened == TEXT[: len(opened)])
    assert decoded(packed + b"rest", coding) is None
    assert decoded(b"rubbish", coding) is None


@pytest.mark.parametrize("coding", [b"compress", b"gzip, gzip, gzip", b"gzip;q=1"])
def test_codings_that_nobody_sends(coding: bytes) -> None:
    assert decoded(gzip.compress(TEXT), coding) is None


@pytest.mark.parametrize(
    ("coding", "bomb"),
    [
        pytest.param(b"gzip", gzip.compress(bytes(2**27)), id="gzip"),
        pytest.param(b"br", brotli.compress(bytes(2**27)), id="brotli"),
        pytest.param(b"zstd", zstd(bytes(2**27)), id="zstd"),
    ],
)
def test_bombs_do_not_go_off(coding: bytes, bomb: bytes) -> None:
    document = document_of(bomb, ((b"content-encoding", coding),))
    assert len(bomb) < 200_000
    assert not document.valid
    assert not compile("@this").matches(document)


def test_conditions_look_into_what_travels_packed() -> None:
    body = gzip.compress(TEXT)
    document = document_of(
        body, ((b"content-type", b"application/json"), (b"content-encoding", b"gzip"))
    )
    assert document.body is body
    assert compile('[@this].#(model=="llama")').matches(document)
    assert compile("jmespath: model == 'llama'").matches(document)
    assert not compile("missing").matches(document)
    assert document.value["n"] == 1


def test_tensors_behind_the_json_are_not_looked_at() -> None:
    header = b'{"inputs":[]}'
    document = document_of(
        header + b"\x00\x01", ((b"inference-header-content-length", b"%d" % len(header)),)
    )
    assert document.json == header
    assert compile("inputs").matches(document)


@pytest.mark.parametrize("length", [b"99", b"-1", b"x", b"1e3", b"9" * 30])
def test_a_length_that_cannot_be(length: bytes) -> None:
    document = document_of(b'{"a":1}', ((b"inference-header-content-length", length),))
    assert not document.valid


def test_what_needs_no_opening_is_a_plain_document() -> None:
    for headers in ((), ((b"content-encoding", b"identity"),), ((b"content-type", b"x/y"),)):
        document = document_of(b"{}", headers)
        assert type(document) is Document
        assert document.json is document.body


def test_a_packed_document_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError, match="other"):
        _ = Packed(b"").other


def test_little_does_not_open_to_much() -> None:
    """What the worker then had to parse would cost it seconds."""
    text = b"[" + b"{}," * (2**21) + b"{}]"  # of 6 MiB
    assert decoded(gzip.compress(text), b"gzip") is None
    assert decoded(gzip.compress(text[: 2**22]), b"gzip") == text[: 2**22]
    dense = bytes(range(256)) * 2**15  # shrinks well, and is not small
    packed = gzip.compress(dense, 1)
    assert len(dense) > 2**22
    assert decoded(packed, b"gzip") == dense
