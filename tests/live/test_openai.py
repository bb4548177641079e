"""OpenAI's own client, and the examples of configs/examples/openai in front of scripted servers."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, AsyncOpenAI, AuthenticationError, NotFoundError, PermissionDeniedError

from graph.loader import load
from router.config import DataPlaneConfig, GraphSource
from tests.kit.eventually import eventually
from tests.kit.openai_server import OpenAIServer
from tests.kit.predictor import Predictor
from tests.kit.scripts import Gate, reply
from tests.router.plane import QUIET, Plane
from tests.router.whole import source
from tests.scripts import sequence

EXAMPLES = Path(__file__).parents[2] / "configs" / "examples" / "openai"
HELLO: Any = [{"role": "user", "content": "hello there you"}]


def example(name: str, *servers: Predictor) -> GraphSource:
    """With these servers in place of those that its URLs name, in their order."""
    text = (EXAMPLES / name).read_text()
    for number, server in enumerate(servers, 9001):
        assert f"http://127.0.0.1:{number}" in text
        text = text.replace(f"http://127.0.0.1:{number}", server.origin)
    assert "127.0.0.1:900" not in text
    (document,) = load(text, name).documents
    assert document.graph is not None
    return GraphSource(
        document.graph.key,
        document.graph.model_dump_json(by_alias=True, exclude_none=True).encode(),
    )


@contextlib.asynccontextmanager
async def asking(graph: GraphSource, *, by_path: bool = False) -> AsyncIterator[AsyncOpenAI]:
    """A client of this graph, which is the default one if it is not asked for by its path."""
    config = DataPlaneConfig(log=QUIET, default_graph=None if by_path else graph.key)
    async with Plane.of(graph, config=config) as plane:
        below = f"/graphs/{graph.key}" if by_path else ""
        url = f"http://127.0.0.1:{plane.port}{below}/v1"
        async with AsyncOpenAI(base_url=url, api_key="secret", max_retries=0) as client:
            yield client


async def said(client: AsyncOpenAI, model: str) -> str | None:
    answer = await client.chat.completions.create(model=model, messages=HELLO)
    return answer.choices[0].message.content


@pytest.mark.parametrize("by_path", [True, False], ids=["by path", "as default"])
async def test_everything_that_the_server_offers(by_path: bool) -> None:
    async with OpenAIServer("a") as server:
        graph = example("splitter.yaml", server, server)
        async with asking(graph, by_path=by_path) as client:
            answer = await client.chat.completions.with_raw_response.create(
                model="a", messages=HELLO
            )
            assert answer.parse().choices[0].message.content == "hello there you"
            assert answer.headers["x-served-by"] == "a"
            vectors = await client.embeddings.create(
                model="a", input=["ab", "c"], encoding_format="float"
            )
            assert [each.embedding for each in vectors.data] == [[2.0, 0.5], [1.0, 0.5]]
            assert [model.id async for model in client.models.list()] == ["a"]
            assert (await client.models.retrieve("a")).id == "a"
            with pytest.raises(NotFoundError, match="The model `b` does not exist"):
                await said(client, "b")


async def test_events_of_an_answer() -> None:
    async with (
        OpenAIServer("a") as server,
        asking(example("splitter.yaml", server, server)) as client,
    ):
        events = await client.chat.completions.create(model="a", messages=HELLO, stream=True)
        words = [event.choices[0].delta.content async for event in events]
    assert words == ["hello", " there", " you", None]


@pytest.mark.parametrize("name", ["splitter.yaml", "guard.yaml"])
async def test_words_arrive_as_they_are_said(predictor: Predictor, name: str) -> None:
    """Through a Splitter, and from the last step of a Sequence."""
    async with OpenAIServer("a") as server:
        server.gate = Gate()
        first = server if name == "splitter.yaml" else predictor
        async with asking(example(name, first, server)) as client:
            events = await client.chat.completions.create(model="a", messages=HELLO, stream=True)
            words = aiter(events)
            assert (await anext(words)).choices[0].delta.content == "hello"
            server.gate.open()
            assert [event.choices[0].delta.content async for event in words] == [
                *(" there", " you", None)
            ]


async def test_a_client_that_has_heard_enough(predictor: Predictor) -> None:
    async with (
        OpenAIServer("a") as server,
        asking(example("splitter.yaml", server, server)) as client,
    ):
        server.gate = Gate()
        async with await client.chat.completions.create(
            model="a", messages=HELLO, stream=True
        ) as events:
            await anext(aiter(events))
        await eventually(lambda: server.cancelled == 1, "the server hears that nobody listens")


async def test_a_server_that_breaks_off_is_an_error_to_who_listens(predictor: Predictor) -> None:
    async with OpenAIServer("a") as server:
        server.gate = Gate()
        async with asking(example("splitter.yaml", server, server)) as client:
            events = await client.chat.completions.create(model="a", messages=HELLO, stream=True)
            words = aiter(events)
            await anext(words)
            server.close_connections()
            with pytest.raises(APIError) as caught:
                await anext(words)
            assert caught.value.body == "Failed to process request"


async def test_a_splitter_draws_whatever_is_asked() -> None:
    async with (
        OpenAIServer("a") as stable,
        OpenAIServer("a") as canary,
        asking(example("splitter.yaml", stable, canary)) as client,
    ):
        for _ in range(100):
            await client.models.retrieve("a")
    assert stable.served + canary.served == 100
    assert 0 < canary.served < 50


async def test_a_switch_on_the_model() -> None:
    async with (
        OpenAIServer("large") as large,
        OpenAIServer("embed-1") as embed,
        OpenAIServer("small", "tiny") as small,
        asking(example("switch.yaml", large, embed, small)) as client,
    ):
        for model in ("large", "small", "tiny"):
            assert await said(client, model) == "hello there you"
        await client.embeddings.create(model="embed-1", input="a", encoding_format="float")
        assert (large.served, embed.served, small.served) == (1, 1, 2)
        assert [model.id async for model in client.models.list()] == ["small", "tiny"]


async def test_a_guard_lets_pass_or_answers_itself(predictor: Predictor) -> None:
    refusal = b'{"error": {"message": "not about that", "code": "guarded"}}'
    predictor.on("/check", reply(b'{"fine": true}'), reply(refusal, 403))
    async with (
        OpenAIServer("a") as server,
        asking(example("guard.yaml", predictor, server)) as client,
    ):
        assert await said(client, "a") == "hello there you"
        with pytest.raises(PermissionDeniedError, match="not about that"):
            await said(client, "a")
    assert server.served == 1
    assert predictor.requests[0].body == server.requests[0].body


KEYS: dict[str, Any] = {
    "the caller's": ({"copy": ["Authorization"]}, "secret"),
    "one of its own": ({"set": {"Authorization": "Bearer mine"}}, "mine"),
}


@pytest.mark.parametrize("name", KEYS)
async def test_keys_that_a_step_passes_on(name: str) -> None:
    headers, key = KEYS[name]
    async with OpenAIServer("a") as server:
        server.key = key
        step = {"serviceUrl": server.origin, "forward": "Caller", "headers": headers}
        async with asking(source("g", {"root": sequence(step)})) as client:
            assert await said(client, "a") == "hello there you"


async def test_keys_stay_behind_by_themselves() -> None:
    async with OpenAIServer("a") as server:
        server.key = "secret"
        async with asking(example("splitter.yaml", server, server)) as client:
            with pytest.raises(AuthenticationError, match="Incorrect API key"):
                await said(client, "a")
