"""What the benchmark of streams relies on: graphs that compile, and a reader that sees the end."""

import asyncio
import json

import pytest

from bench.streaming import PATHS, Reader, _graph
from bench.streaming_source import CHUNK, EVENT, HEAD, LAST
from graph.compiler import compile
from graph.spec import InferenceGraph

LENGTH = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx-a: b\r\n\r\n"


def test_every_graph_compiles_and_its_request_may_stream() -> None:
    for path in PATHS:
        text = _graph(path, 1).removeprefix("---\n")
        plan = compile(InferenceGraph.model_validate(json.loads(text)))
        assert plan.key == f"bench{path}"
        assert plan.streams


def test_an_event_is_of_the_size_that_is_told() -> None:
    assert len(EVENT) == 200
    assert CHUNK == b"c8\r\n" + EVENT + b"\r\n"


@pytest.mark.parametrize(
    ("came", "wanted"),
    [
        pytest.param([HEAD, CHUNK, LAST], 0, id="chunks"),
        pytest.param([LENGTH + b"ab", b"cd"], 0, id="all at once, with its length"),
        pytest.param([HEAD, b"x" * 50, b"x" * 50], 100 + len(HEAD), id="so many bytes"),
    ],
)
async def test_the_reader_sees_the_end(came: list[bytes], wanted: int) -> None:
    reader = Reader()
    reader.over = asyncio.get_running_loop().create_future()
    reader.wanted = wanted
    for data in came:
        assert not reader.over.done()
        reader.data_received(data)
    assert reader.over.done()
    assert reader.first_at > 0
