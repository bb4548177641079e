"""Predictors over https: trusted certificates only, unless a setting says otherwise."""

import json
import ssl
from pathlib import Path

import pytest
import trustme

from tests.conftest import Serve, server_context
from tests.kit.client import Client, request
from tests.kit.manifests import graph, path
from tests.kit.message import Response
from tests.kit.predictor import Predictor
from tests.kit.scripts import echo


async def ask(serve: Serve, tls: ssl.SSLContext, env: dict[str, str]) -> tuple[Response, int]:
    """The answer to one request, and how many reached the predictor."""
    async with Predictor(tls=tls) as predictor:
        predictor.default = echo()
        manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
        async with (
            serve(manifest, "--workers", "1", env=env) as router,
            Client.to(router.port) as client,
        ):
            response = await client.ask(request(path("g"), b'{"a": 1}'))
        return response, predictor.served


async def test_a_certificate_of_a_trusted_authority_is_good(
    serve: Serve, server_tls: ssl.SSLContext, authority_file: Path
) -> None:
    response, served = await ask(
        serve, server_tls, {"GRAPHWAY_UPSTREAM_CA_FILE": str(authority_file)}
    )
    assert (response.status, response.body, served) == (200, b'{"a": 1}', 1)


async def test_without_verification_any_certificate_is_good(serve: Serve) -> None:
    tls = server_context(trustme.CA(), "elsewhere.example")
    response, served = await ask(serve, tls, {"GRAPHWAY_UPSTREAM_VERIFY_TLS": "false"})
    assert (response.status, served) == (200, 1)


@pytest.mark.parametrize("fault", ["unknown authority", "another name"])
async def test_a_bad_certificate_is_a_502_and_nothing_is_sent(
    serve: Serve, authority: trustme.CA, authority_file: Path, fault: str
) -> None:
    if fault == "unknown authority":
        tls = server_context(trustme.CA(), "localhost")
    else:
        tls = server_context(authority, "elsewhere.example")
    response, served = await ask(serve, tls, {"GRAPHWAY_UPSTREAM_CA_FILE": str(authority_file)})
    assert (response.status, served) == (502, 0)
    assert "certificate" in json.loads(response.body)["cause"]
