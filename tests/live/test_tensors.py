"""Tensors through a router that runs: to servers with and without the binary extension, small and
as streams, compressed, chained, split, ensembled and looked into.
"""

import asyncio
import gzip
import json
from typing import Any

import pytest

from graph.document import Document
from graph.packed import document_of
from graph.tensors.convert import Protocol, decode, encode
from graph.tensors.model import Inference, Side, Tensor
from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.manifests import graph, path
from tests.kit.message import Response
from tests.kit.predictor import Exchange, Predictor
from tests.kit.router import Router
from tests.kit.scripts import Script, render, reply

URL = "/v2/models/m/infer"
LACKING = b'{"name":"mlserver","extensions":[]}'
HAVING = b'{"name":"triton","extensions":["binary_tensor_data"]}'
SMALL = bytes(range(256))
LARGE = SMALL * 4096  # 1 MiB: a request that comes as a stream
CHAINED = {"data": "$response", "mapPredictionsToInstances": True, "dependency": "Hard"}


def doubling(understands: bool) -> Script:
    """A V2 server whose tensor `x` becomes `x` twice as long; with the extension or without."""

    async def script(exchange: Exchange) -> None:
        asked = exchange.request
        document = document_of(asked.body, asked.head.headers)
        if not understands and type(document) is not Document:
            exchange.send(render(b'{"error":"what is this?"}', 500))
            return
        (given,) = decode(document, Protocol.V2, Side.REQUEST).tensors
        tensor = Tensor("x", "UINT8", (given.count * 2,), {}, bytes(given.raw()) * 2)
        answer, described = encode(
            Inference([tensor], "m"),
            Protocol.V2,
            Side.ANSWER,
            (lambda name: True) if understands else None,
        )
        exchange.send(render(answer.body, headers=described))

    return script


@pytest.fixture(params=[False, True], ids=["the server lacks the extension", "has it"])
def server(request: pytest.FixtureRequest, predictor: Predictor) -> Predictor:
    predictor.on(URL, doubling(request.param))
    predictor.on("/v2", reply(HAVING if request.param else LACKING))
    return predictor


def binary(raw: bytes, **parameters: Any) -> tuple[bytes, dict[str, str]]:
    tensor = Tensor("x", "UINT8", (len(raw),), {}, raw)
    inference = Inference([tensor], id="7", parameters=parameters)
    document, headers = encode(inference, Protocol.V2, Side.REQUEST, lambda name: True)
    return document.body, {name.decode(): value.decode() for name, value in headers}


async def ask(router: Router, raw: bytes, name: str = "g", **headers: str) -> Response:
    body, described = binary(raw, binary_data_output=True)
    if "content-encoding" in headers:
        body = gzip.compress(body)
    async with Client.to(router.port) as client:
        await client.send(request(path(name), body, headers={**described, **headers}))
        async with asyncio.timeout(30):
            return await client.response()


def outputs(response: Response) -> list[tuple[str, bytes]]:
    assert response.status == 200, response.body[:500]
    assert response.header(b"inference-header-content-length"), response.body[:500]
    document = document_of(response.body, response.head.headers)
    found = decode(document, Protocol.V2, Side.ANSWER).tensors
    return [(each.name, bytes(each.raw())) for each in found]


@pytest.mark.parametrize("raw", [SMALL, LARGE], ids=["small", "a stream"])
async def test_tensors_reach_the_server_and_come_back_in_binary(
    serve: Serve, server: Predictor, raw: bytes
) -> None:
    async with serve(graph("g", "Sequence", {"serviceUrl": server.url(URL)})) as router:
        for _ in range(2):
            assert outputs(await ask(router, raw)) == [("x", raw * 2)]


async def test_compressed_tensors(serve: Serve, server: Predictor) -> None:
    async with serve(graph("g", "Sequence", {"serviceUrl": server.url(URL)})) as router:
        response = await ask(router, SMALL, **{"content-encoding": "gzip"})
        assert outputs(response) == [("x", SMALL * 2)]


async def test_tensors_are_chained(serve: Serve, server: Predictor) -> None:
    step = {"serviceUrl": server.url(URL), **CHAINED}
    async with serve(graph("g", "Sequence", step, step, step)) as router:
        assert outputs(await ask(router, SMALL)) == [("x", SMALL * 8)]


async def test_tensors_are_split_and_ensembled(serve: Serve, server: Predictor) -> None:
    url = server.url(URL)
    manifest = graph("e", "Ensemble", {"name": "a", "serviceUrl": url}, {"serviceUrl": url})
    manifest += graph("s", "Splitter", {"serviceUrl": url, "weight": 100})
    async with serve(manifest) as router:
        assert outputs(await ask(router, SMALL, "s")) == [("x", SMALL * 2)]
        response = await ask(router, SMALL, "e")
        assert response.status == 200
        length = int(response.header(b"inference-header-content-length") or 0)
        said = json.loads(response.body[:length])
        assert list(said) == ["a", "1"]
        assert said["a"]["outputs"][0]["parameters"] == {"binary_data_size": 512}
        assert response.body[length:] == SMALL * 4


async def test_conditions_see_the_json_before_the_tensors(serve: Serve, server: Predictor) -> None:
    manifest = graph(
        "g",
        "Switch",
        {"serviceUrl": server.url("/nobody"), "condition": 'inputs.#(name=="y")'},
        {"serviceUrl": server.url(URL), "condition": 'inputs.#(shape.0=="256")'},
        {"serviceUrl": server.url(URL), "condition": "jmespath: inputs[0].shape[0] == `256`"},
    )
    async with serve(manifest) as router:
        assert outputs(await ask(router, SMALL)) == [("x", SMALL * 2)]
        assert (await ask(router, b"1")).status == 404


async def test_sizes_that_do_not_add_up_are_the_callers_fault(
    serve: Serve, predictor: Predictor
) -> None:
    predictor.on("/v2", reply(LACKING))
    body, headers = binary(SMALL)
    async with (
        serve(graph("g", "Sequence", {"serviceUrl": predictor.url(URL)})) as router,
        Client.to(router.port) as client,
    ):
        await client.send(request(path("g"), body[:-1], headers=headers))
        response = await client.response()
        assert response.status == 400
        cause = json.loads(response.body)["cause"]
        assert cause.startswith(f"the request cannot be converted for {predictor.url(URL)}: ")
        assert "tensor 'x': binary_data_size is 256, but only 255 bytes are left" in cause
        assert [each.path for each in predictor.requests] == [b"/v2"]
