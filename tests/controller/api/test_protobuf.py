"""Bodies that kubectl encodes as protobuf: read whole, or refused; never half, never a crash."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.protobuf import decode
from controller.store.errors import ApiError


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def body(kind: str, *fields: bytes, version: str = "v1") -> bytes:
    head = field(1, field(1, version) + field(2, kind))
    return b"k8s\0" + head + field(2, b"".join(fields)) + field(3, "") + field(4, "")


METADATA = field(
    1,
    field(1, "s")
    + field(3, "default")
    + field(5, "")
    + field(7, 0)
    + field(8, b"")
    + field(11, field(1, "app") + field(2, "x"))
    + field(14, "busy"),
)
SAID = {
    "name": "s",
    "namespace": "default",
    "labels": {"app": "x"},
    "finalizers": ["busy"],
}


def test_a_secret() -> None:
    sent = body(
        "Secret",
        METADATA,
        field(2, field(1, "a") + field(2, b"\x00\xff")),
        field(2, field(1, "empty") + field(2, b"")),
        field(3, "Opaque"),
        field(4, field(1, "b") + field(2, "text")),
        field(5, 1),
    )
    assert decode(sent) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": SAID,
        "data": {"a": "AP8=", "empty": ""},
        "type": "Opaque",
        "stringData": {"b": "text"},
        "immutable": True,
    }


def test_a_service_account() -> None:
    sent = body("ServiceAccount", METADATA, field(2, field(3, "s")), field(3, field(1, "p")))
    assert decode(sent) == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": SAID,
        "secrets": [{"name": "s"}],
        "imagePullSecrets": [{"name": "p"}],
    }


def test_a_long_text() -> None:
    data = field(2, field(1, "k") + field(2, "x" * 100_000))
    assert decode(body("ConfigMap", data))["data"] == {"k": "x" * 100_000}


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="JSON"),
        pytest.param(b"k8s\0", id="an empty envelope"),
        pytest.param(body("Pod", METADATA), id="a kind that is not in the tables"),
        pytest.param(body("Secret", METADATA, version="v2"), id="another version"),
        pytest.param(body("Secret", field(9, "x")), id="a field that is not in the tables"),
        pytest.param(body("Secret", field(3, 5)), id="a number for a text"),
        pytest.param(body("Secret", field(1, 5)), id="a number for an object"),
        pytest.param(body("Secret", field(2, 5)), id="a number for a map"),
        pytest.param(body("Secret", field(3, b"\xff")), id="no UTF-8"),
        pytest.param(body("Secret", METADATA)[:-9], id="cut short"),
        pytest.param(body("Secret", b"\x0d\0\0\0\0"), id="an odd wire type"),
        pytest.param(b"k8s\0" + b"\xff" * 99, id="a number without end"),
    ],
)
def test_what_is_refused(sent: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        decode(sent)
    assert refused.value.code == 400


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_crash_it(noise: bytes, inside: bool) -> None:
    sent = body("ConfigMap", noise) if inside else b"k8s\0" + noise
    with suppress(ApiError):
        assert isinstance(decode(sent), dict)
