"""Conditions in front of a real router: what they see of callers, bodies however they travel, and
the count of those that could not be evaluated.
"""

import gzip
import json
import zlib

import brotli
import pytest
import zstandard

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.manifests import Step, graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import reply

GOLD = "cel: 'x-tier' in headers && headers['x-tier'] == 'gold'"


def manifest(predictor: Predictor) -> str:
    def to(name: str, **more: object) -> Step:
        predictor.on(f"/{name}", reply(json.dumps({"from": name}).encode()))
        return {"name": name, "serviceUrl": predictor.url(f"/{name}"), **more}

    predictor.on("/fails", reply(b"oops", status=503))
    return "".join(
        [
            graph(
                "caller",
                "Switch",
                to("gold", condition=GOLD),
                to("german", condition="cel: has(query.lang) && query.lang == 'de'"),
                to("model", condition="cel: model == 'iris' && method == 'POST'"),
                to("here", condition="cel: client.startsWith('127.') && path.endsWith('/there')"),
                to("default", condition="cel: true"),
            ),
            graph(
                "body",
                "Switch",
                to("cel", condition="cel: body.kind == 'cel'"),
                to("gjson", condition='[@this].#(kind=="gjson")'),
                to("jmespath", condition="jmespath:kind == 'jmespath'"),
                to("other", condition="cel: true"),
            ),
            graph(
                "status",
                "Sequence",
                {"name": "fails", "serviceUrl": predictor.url("/fails")},
                to("again", condition="cel: status == 503"),
            ),
        ]
    )


async def asked(port: int, target: str, body: bytes = b"{}", **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with Client.to(port) as client:
        response = await client.ask(request(target, body, headers=named))
    assert response.status == 200, response
    return str(json.loads(response.body)["from"])


async def test_what_conditions_see_of_a_caller(predictor: Predictor, serve: Serve) -> None:
    async with serve(manifest(predictor)) as router:
        at, port = path("caller"), router.port
        assert await asked(port, at, X_Tier="gold") == "gold"
        assert await asked(port, f"{at}?lang=de&x=%20") == "german"
        assert await asked(port, f"{at}/v1/models/iris:predict") == "model"
        assert await asked(port, f"{at}/there") == "here"
        assert await asked(port, at, b"\x00 no JSON") == "default"
        assert await asked(port, path("status")) == "again"


@pytest.mark.parametrize("kind", ["cel", "gjson", "jmespath"])
async def test_a_body_is_opened_for_who_looks_into_it(
    kind: str, predictor: Predictor, serve: Serve
) -> None:
    plain = json.dumps({"kind": kind}).encode()
    packed = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "br": brotli.compress(plain),
        "zstd": zstandard.compress(plain),
        "gzip, br": brotli.compress(gzip.compress(plain)),
    }
    bomb = gzip.compress(plain + b" " * 70_000_000, 1)
    broken = {
        "gzip": (packed["gzip"][:-9], packed["gzip"] + b"more", b"", bomb, plain),
        "br": (packed["br"][:-1], plain),
        "zstd": (packed["zstd"][:-1], plain),
        "x-own": (plain,),
        "br, gzip": (packed["gzip, br"],),
    }
    async with serve(manifest(predictor)) as router:
        for coding, body in packed.items():
            assert await asked(router.port, path("body"), body, Content_Encoding=coding) == kind
            assert predictor.bodies[-1] == body
        for coding, bodies in broken.items():
            for body in bodies:
                found = await asked(router.port, path("body"), body, Content_Encoding=coding)
                assert found == "other", (coding, body[:40])
        metrics = await router.metrics()
    errors = metrics.total("graphway_condition_errors_total", graph="test/body", step="cel")
    assert errors == sum(map(len, broken.values()))
