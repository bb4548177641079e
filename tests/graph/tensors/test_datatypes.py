"""Every datatype between raw bytes and values, both ways, and what it refuses."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.tensors import bounds, v1, v2
from graph.tensors.datatypes import DATATYPES, json_ready, pack, unpack
from graph.tensors.model import Side, Tensor, TensorError

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("datatype", "values", "raw"),
    [
        ("BOOL", [True, False], "0100"),
        ("UINT8", [0, 255], "00ff"),
        ("UINT16", [1, 65535], "0100ffff"),
        ("UINT32", [1, 2**32 - 1], "01000000ffffffff"),
        ("UINT64", [1, 2**64 - 1], "0100000000000000ffffffffffffffff"),
        ("INT8", [-128, 127], "807f"),
        ("INT16", [-(2**15), 2**15 - 1], "0080ff7f"),
        ("INT32", [-(2**31), 2**31 - 1], "00000080ffffff7f"),
        ("INT64", [-(2**63), 2**63 - 1], "0000000000000080ffffffffffffff7f"),
        ("FP16", [1.5, -65504.0, 2.0**-24], "003efffb0100"),
        ("FP16", [INFINITY, -INFINITY], "007c00fc"),
        ("BF16", [1.0, -2.5, 2.0**-126], "803f20c08000"),
        ("BF16", [INFINITY, -INFINITY], "807f80ff"),
        ("FP32", [0.5, -0.0, 2**-149], "0000003f0000008001000000"),
        ("FP32", [INFINITY], "0000807f"),
        ("FP64", [0.1, 5e-324], "9a9999999999b93f0100000000000000"),
        ("BYTES", [b"", b"ab", b"\xff\x00"], "00000000020000006162" + "02000000ff00"),
    ],
)
def test_values_and_raw_bytes_are_the_same_tensor(
    datatype: str, values: list[Any], raw: str
) -> None:
    kind = DATATYPES[datatype]
    assert pack(kind, values).hex() == raw
    found = unpack(kind, bytes.fromhex(raw))
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
def test_an_empty_tensor_has_no_bytes(datatype: str) -> None:
    assert pack(DATATYPES[datatype], []) == b""
    assert unpack(DATATYPES[datatype], b"") == []


@pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64"])
def test_not_a_number_stays_one(datatype: str) -> None:
    kind = DATATYPES[datatype]
    (value,) = unpack(kind, pack(kind, [NAN]))
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        pytest.param(1 + 2**-8, "803f", id="half way, to the even one below"),
        pytest.param(1 + 3 * 2**-8, "823f", id="half way, to the even one above"),
        pytest.param(0.1, "cd3d", id="to the nearest"),
        pytest.param(3.39e38, "7f7f", id="to the largest that there is"),
    ],
)
def test_bf16_takes_the_nearest_value(value: float, raw: str) -> None:
    assert pack(DATATYPES["BF16"], [value]).hex() == raw


def test_not_a_number_is_not_rounded_to_an_infinity() -> None:
    signalling = struct.unpack("<f", bytes.fromhex("0100807f"))[0]
    raw = pack(DATATYPES["BF16"], [signalling, 0.1])
    assert math.isnan(unpack(DATATYPES["BF16"], raw)[0])


def test_half_an_element_is_none() -> None:
    with pytest.raises(ValueError, match="3 bytes are no whole number of INT16 elements"):
        unpack(DATATYPES["INT16"], b"abc")


@pytest.mark.parametrize(
    ("datatype", "values", "meant"),
    [
        pytest.param("INT32", [1.0, 2], [1, 2], id="a whole float is an integer"),
        pytest.param("FP32", [1, 2], [1.0, 2.0], id="an integer is a float"),
        pytest.param("BOOL", [1, 0.0], [True, False], id="one and nought are booleans"),
        pytest.param(
            "FP32", ["Infinity", "-Infinity"], [INFINITY, -INFINITY], id="words for infinities"
        ),
        pytest.param("BYTES", ["ü", b"\xff"], [b"\xc3\xbc", b"\xff"], id="text is its UTF-8"),
    ],
)
def test_what_json_gives_is_taken_for_what_it_means(
    datatype: str, values: list[Any], meant: list[Any]
) -> None:
    tensor = Tensor("x", datatype, (len(values),), data=values)
    assert tensor.values() == meant
    assert unpack(DATATYPES[datatype], tensor.raw()) == meant


@pytest.mark.parametrize("word", ["NaN", None])
def test_words_for_not_a_number(word: object) -> None:
    (value,) = Tensor("x", "FP64", (1,), data=[word]).values()
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("BOOL", 2),
        ("BOOL", "true"),
        ("UINT8", -1),
        ("UINT8", 256),
        ("UINT64", 2**64),
        ("INT8", 128),
        ("INT64", 2**63),
        ("INT32", 1.5),
        ("INT32", None),
        ("INT32", NAN),
        ("FP16", 65520.0),
        ("BF16", 3.4e38),
        ("FP32", 1e39),
        ("FP32", "1.0"),
        ("FP32", [1.0]),
        ("FP64", 10**400),
        pytest.param("FP64", 10**5000, id="FP64-more digits than Python writes"),
        ("BYTES", 1),
        ("BYTES", "\ud800"),
        ("BYTES", None),
    ],
)
def test_what_a_datatype_cannot_hold_is_refused_by_name(datatype: str, value: object) -> None:
    tensor = Tensor("x", datatype, (2,), data=[value, value])
    for ask in (tensor.raw, tensor.values):
        with pytest.raises(TensorError, match=rf"tensor 'x': element 0, .+, is no {datatype}"):
            ask()


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        pytest.param(
            Tensor("x", "FP32", (2, 3), data=b"1234"),
            "4 bytes, but FP32 of shape [2, 3] has 24",
            id="too few bytes",
        ),
        pytest.param(
            Tensor("x", "FP32", (2,), data=[1.0]),
            "1 values, but FP32 of shape [2] has 2",
            id="too few values",
        ),
        pytest.param(
            Tensor("x", "BYTES", (2,), data=b"1234"),
            "4 bytes, or more, but BYTES of shape [2] has 8",
            id="no room for lengths",
        ),
        pytest.param(
            Tensor("x", "FP32", (-1,), data=b""), "shape [-1] has a dimension out of", id="negative"
        ),
        pytest.param(
            Tensor("x", "FP32", (2**63,), data=b""), "a dimension out of range", id="beyond int64"
        ),
        pytest.param(
            Tensor("x", "FP32", (2**62,) * 64, data=b""), "0 bytes, but FP32", id="a huge product"
        ),
        pytest.param(
            Tensor("x", "FP32", (1,) * 65, data=b"1234"),
            "65 dimensions, more",
            id="many dimensions",
        ),
        pytest.param(Tensor("x", "fp32", (1,), data=b"1234"), "unknown datatype 'fp32'", id="name"),
    ],
)
def test_data_that_its_shape_does_not_fit_is_refused(tensor: Tensor, reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        tensor.check()
    assert str(caught.value).startswith("tensor 'x': ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x05\0\0\0abc", "element 0 reaches beyond the end"),
        (b"\0\0\0\0\xff\xff\xff\xff", "element 1 reaches beyond the end"),
        (b"\0\0\0\0\0\0", "element 1 reaches beyond the end"),
        (b"\x04\0\0\0abcd", "1 values, but BYTES of shape [2] has 2"),
    ],
)
def test_bytes_whose_lengths_do_not_add_up_are_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(TensorError) as caught:
        Tensor("x", "BYTES", (2,), data=raw).values()
    assert reason in str(caught.value)


def test_bytes_of_very_many_elements_are_not_converted() -> None:
    count = bounds.MAX_BYTES + 1
    for data, ask in ((bytes(4 * count), Tensor.values), ([b""] * count, Tensor.raw)):
        tensor = Tensor("x", "BYTES", (count,), data=data).check()
        with pytest.raises(TensorError, match="tensor 'x': more than 2,000,000 elements of BYTES"):
            ask(tensor)


def test_very_many_numbers_are_not_made_values() -> None:
    tensor = Tensor("x", "UINT8", (bounds.MAX_NUMBERS + 1,), data=bytes(bounds.MAX_NUMBERS + 1))
    assert tensor.check().raw() is tensor.data
    with pytest.raises(TensorError, match="more than 10,000,000 elements cannot go into JSON"):
        tensor.values()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"[" + b"{}," * bounds.MAX_PARTS, bounds.PARTS, id="objects"),
        pytest.param(b"[" + b"[]," * bounds.MAX_PARTS, bounds.PARTS, id="arrays"),
        pytest.param(b'"",' * (3 * bounds.MAX_BYTES), bounds.BYTES, id="texts"),
        pytest.param(b"1," * (bounds.MAX_NUMBERS + 1), bounds.NUMBERS, id="numbers"),
        pytest.param(b"1.25," * bounds.MAX_PARTS, None, id="a large tensor"),
        pytest.param(b"[]", None, id="a small body"),
    ],
)
def test_json_of_very_many_parts_is_not_parsed(body: bytes, words: str | None) -> None:
    assert bounds.excess(body) == words
    if words is not None:
        for read in (v1.read, v2.read):
            with pytest.raises(TensorError, match="too large: more than"):
                read(body, Side.REQUEST)


def test_raw_memory_is_handed_on_as_it_is() -> None:
    memory = memoryview(b"0123456789")[2:6]
    assert Tensor("x", "FP32", (1,), data=memory).check().raw() is memory


def test_a_scalar_has_no_dimensions() -> None:
    assert Tensor("x", "FP64", (), data=struct.pack("<d", 1.5)).check().values() == [1.5]


def test_json_gets_words_for_what_it_has_no_number_for() -> None:
    kind = DATATYPES["FP32"]
    assert json_ready(kind, [1.0, NAN, INFINITY, -INFINITY]) == [
        1.0,
        "NaN",
        "Infinity",
        "-Infinity",
    ]


@given(st.sampled_from(sorted(DATATYPES)), st.binary(max_size=64))
def test_raw_bytes_survive_the_way_over_values(datatype: str, data: bytes) -> None:
    kind = DATATYPES[datatype]
    if kind.kind == "bytes":
        raw = struct.pack("<I", len(data)) + data
    else:
        raw = data[: len(data) // kind.size * kind.size]
    values = unpack(kind, raw)
    if kind.kind == "bool":
        raw = bytes(map(bool, raw))
    if any(
        isinstance(value, float) and math.isnan(value) for value in values
    ):  # what a NaN carries is nobody's
        return
    assert pack(kind, values) == raw
