"""What conditions and mappings see of the caller."""

import pytest

from graph.caller import Caller


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v2/models/iris/infer", "iris"),
        ("/v2/models/iris/versions/3/infer", "iris"),
        ("/v2/models/iris", "iris"),
        ("/v2/models/iris/ready", "iris"),
        ("/v2/models/ns/iris/infer", "ns/iris"),
        ("/v1/models/iris:predict", "iris"),
        ("/v1/models/iris:explain", "iris"),
        ("/v1/models/a%20b:predict", "a b"),
        ("/graphs/ns/g/v2/models/iris/infer", "iris"),
        ("/v1/chat/completions", ""),
        ("/v1/models", ""),
        ("/", ""),
    ],
)
def test_model_of_a_path(path: str, model: str) -> None:
    assert Caller(path=path.encode()).model == model


def test_headers_and_query() -> None:
    caller = Caller(
        b"GET",
        b"/x",
        b"a=1&b=%20&a=2&c",
        ((b"x-tier", b"gold"), (b"accept", b"a"), (b"accept", b"b"), (b"x-odd", b"\xff\xc3\xa9")),
        "127.0.0.1",
    )
    assert caller.fields == {
        "x-tier": "gold",
        "accept": "a, b",
        "x-odd": "�é",
    }
    assert caller.parameters == {"a": "2", "b": " ", "c": ""}
    assert (caller.method, caller.path, caller.client) == ("GET", "/x", "127.0.0.1")
