"""One step's answer as the next step's request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.chaining import as_request, predictions_to_instances
from graph.document import Document
from graph.effects import Headers, Payload, Reply

JSON: Headers = ((b"content-type", b"application/json"),)
OTHER: Headers = ((b"content-type", b"application/vnd.other"),)


def mapped(body: bytes) -> bytes | None:
    """The new body, None if the payload stays as it is."""
    payload = Payload(Document(body), OTHER)
    result = predictions_to_instances(payload)
    if result is payload:
        return None
    assert result.headers == JSON
    return result.document.body


MAPPED = {
    "an array": (b'{"predictions":[1,2]}', b'{"instances":[1,2]}'),
    "names in any case": (b'{"PreDictions":[1]}', b'{"instances":[1]}'),
    "of two spellings the last one": (
        b'{"predictions":[1],"PREDICTIONS":[2]}',
        b'{"instances":[2]}',
    ),
    "other fields are lost": (
        b'{"model":"m","predictions":[1],"parameters":{"a":1}}',
        b'{"instances":[1]}',
    ),
    "instances before are replaced": (
        b'{"instances":[0],"predictions":[1]}',
        b'{"instances":[1]}',
    ),
    "null instances": (b'{"instances":null,"predictions":[1]}', b'{"instances":[1]}'),
    "empty instances": (b'{"Instances":[ ],"predictions":[1]}', b'{"instances":[1]}'),
    "large integers, exponents and long fractions keep their digits": (
        b'{"predictions":[9007199254740993,-0.0,1E400,1.10000000000000000000001]}',
        b'{"instances":[9007199254740993,-0.0,1E400,1.10000000000000000000001]}',
    ),
    "escapes and markup keep their bytes": (
        rb'{"predictions":["<a&b>","caf\u00e9","\/","\ud83d\ude00"]}',
        rb'{"instances":["<a&b>","caf\u00e9","\/","\ud83d\ude00"]}',
    ),
    "white space inside stays, outside goes": (
        b' {\n "predictions" : [ 1 ,\t2 ] } ',
        b'{"instances":[ 1 ,\t2 ]}',
    ),
    "nested values, keys in order, duplicates": (
        b'{"predictions":[{"b":1,"a":[{}],"b":2}]}',
        b'{"instances":[{"b":1,"a":[{}],"b":2}]}',
    ),
    "an escaped name": (rb'{"\u0070redictions":[1]}', b'{"instances":[1]}'),
    "half a surrogate pair": (rb'{"predictions":["\ud83d"]}', rb'{"instances":["\ud83d"]}'),
    "half a surrogate pair, and an escaped name": (
        rb' {"\u0050redictions":["\ud83d"],"x":1}',
        rb'{"instances":["\ud83d"]}',
    ),
    "bytes that are no UTF-8 stay": (b'{"predictions":["\xff"]}', b'{"instances":["\xff"]}'),
    "a key that is no UTF-8": (b'{"\xff":1,"predictions":[1]}', b'{"instances":[1]}'),
    "deeper than Python recurses": (
        b'{"predictions":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"instances":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ),
}

UNCHANGED = {
    "no predictions": b'{"outputs":[1]}',
    "empty predictions": b'{"predictions":[]}',
    "blank predictions": b'{"predictions":[ \n]}',
    "null predictions": b'{"predictions":null}',
    "predictions an object": b'{"predictions":{"a":1}}',
    "predictions a string": b'{"predictions":"[1]"}',
    "predictions a number": b'{"predictions":1}',
    "instances an object": b'{"instances":{},"predictions":[1]}',
    "instances a string": b'{"instances":"x","predictions":[1]}',
    "instances a number": b'{"INSTANCES":0,"predictions":[1]}',
    "instances false": b'{"instances":false,"predictions":[1]}',
    "an array": b'[{"predictions":[1]}]',
    "null": b"null",
    "a string": b'"predictions"',
    "a string with half a surrogate pair": rb'"\ud83d"',
    "an empty object": b"{}",
    "predictions one level down": b'{"data":{"predictions":[1]}}',
    "not JSON": b'{"predictions":[1]',
    "two documents": b'{"predictions":[1]}{}',
    "empty": b"",
}


@pytest.mark.parametrize("name", MAPPED)
def test_mapped(name: str) -> None:
    body, expected = MAPPED[name]
    assert mapped(body) == expected


@pytest.mark.parametrize("name", UNCHANGED)
def test_unchanged(name: str) -> None:
    assert mapped(UNCHANGED[name]) is None


@given(st.binary())
def test_no_body_raises(body: bytes) -> None:
    mapped(body)
    mapped(b'{"predictions":[' + body + b"]}")


@pytest.mark.parametrize("opening", [b"[", b'{"predictions":', b'{"predictions":['])
def test_no_depth_raises(opening: bytes) -> None:
    assert mapped(opening * 200_000) is None


KINDS: dict[str, tuple[Headers, Headers]] = {
    "JSON": (JSON, JSON),
    "another type": (OTHER, OTHER),
    "no type": ((), JSON),
    "plain text": (((b"content-type", b"text/plain"),), JSON),
    "text with a character set": (((b"content-type", b"Text/HTML; charset=utf-8"),), JSON),
    "other text is meant": (((b"content-type", b"text/csv"),), ((b"content-type", b"text/csv"),)),
    "a coding goes along": (
        ((b"content-encoding", b"gzip"), *OTHER),
        ((b"content-encoding", b"gzip"), *OTHER),
    ),
    "a coding without a type": (
        ((b"content-encoding", b"gzip"),),
        (*JSON, (b"content-encoding", b"gzip")),
    ),
    "the split between JSON and tensors goes along": (
        (
            (b"content-type", b"application/octet-stream"),
            (b"inference-header-content-length", b"9"),
        ),
        (
            (b"content-type", b"application/octet-stream"),
            (b"inference-header-content-length", b"9"),
        ),
    ),
    "what else the caller may see is not the next step's": (
        (*OTHER, (b"set-cookie", b"a=b"), (b"server", b"x")),
        OTHER,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_headers_of_an_answer_that_goes_on(name: str) -> None:
    given_headers, expected = KINDS[name]
    document = Document(b"body")
    payload = as_request(Reply(200, given_headers, document))
    assert payload.headers == expected
    assert payload.document is document
