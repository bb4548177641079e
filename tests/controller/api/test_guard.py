"""Who may ask: this machine, or who has the token; never a page from elsewhere."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from controller.api.guard import guard
from tests.controller.api.kit import SERVICES, Api, running

LOOPBACK: list[Any] = [
    pytest.param({"Host": "localhost:9902"}, 200, id="a name of this machine"),
    pytest.param({"Host": "127.0.0.1"}, 200, id="its address"),
    pytest.param({"Host": "127.8.8.8:80"}, 200, id="another one of its addresses"),
    pytest.param({"Host": "[::1]:9902"}, 200, id="its address of version 6"),
    pytest.param({"Host": "evil.example"}, 403, id="a name that was rebound to it"),
    pytest.param({"Host": "127.0.0.1.evil.example"}, 403, id="one that begins alike"),
    pytest.param({"Host": "192.168.1.7"}, 403, id="an address in the network"),
    pytest.param({"Host": "[::1"}, 403, id="half an address"),
    pytest.param(
        {"Host": "localhost:1", "Origin": "http://evil.example"}, 403, id="a page from elsewhere"
    ),
    pytest.param(
        {"Host": "localhost:1", "Origin": "http://localhost:2"}, 403, id="a page of another port"
    ),
    pytest.param({"Host": "localhost:1", "Origin": "http://[::1"}, 403, id="a page of nonsense"),
    pytest.param({"Host": "localhost:1", "Origin": "null"}, 403, id="a page from nowhere"),
    pytest.param({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200, id="our own page"),
]


@pytest.mark.parametrize(("headers", "code"), LOOPBACK)
async def test_without_a_token(api: Api, headers: dict[str, str], code: int) -> None:
    for path in (SERVICES, "/api", "/apis", "/version", "/openapi/v3", "/api/nothing"):
        async with api.session.get(api.url + path, headers=headers) as response:
            expected = 404 if path == "/api/nothing" and code == 200 else code
            assert response.status == expected, path
            assert not [name for name in response.headers if name.startswith("Access-Control")]


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


TOKEN: list[Any] = [
    pytest.param({}, 401, id="none"),
    pytest.param({"Authorization": "Bearer wrong"}, 401, id="a wrong one"),
    pytest.param({"Authorization": "Bearer "}, 401, id="an empty one"),
    pytest.param({"Authorization": "Digest secret"}, 401, id="another scheme"),
    pytest.param({"Authorization": "Basic secret"}, 401, id="a password that is not encoded"),
    pytest.param({"Authorization": basic("me:wrong")}, 401, id="a wrong password"),
    pytest.param({"Authorization": basic("secret")}, 401, id="no password"),
    pytest.param({"Authorization": basic("me:secret")}, 200, id="the token as a password"),
    pytest.param({"Authorization": "Bearer s\xe9cret"}, 401, id="odd letters"),
    pytest.param({"Authorization": "Bearer secret"}, 200, id="the right one"),
    pytest.param({"Authorization": "bearer secret"}, 200, id="a scheme in small letters"),
    pytest.param({"Authorization": "Bearer secret", "Host": "models.lan"}, 200, id="any name"),
    pytest.param(
        {"Authorization": "Bearer secret", "Origin": "http://x"}, 403, id="but no foreign page"
    ),
]


@pytest.mark.parametrize(("headers", "code"), TOKEN)
async def test_with_a_token(tmp_path: Path, headers: dict[str, str], code: int) -> None:
    async with running(tmp_path, token="secret") as api:
        for path in (SERVICES, "/api", "/version"):
            async with api.session.get(api.url + path, headers=headers) as response:
                assert response.status == code
                assert response.content_type == "application/json"
                assert ("WWW-Authenticate" in response.headers) == (code == 401)


async def test_a_bug_is_told_as_one_and_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(api.store, "walk", broken)
    status, body = await api.call("GET", SERVICES)
    assert (status, body["reason"]) == (500, "InternalError")
    assert "ZeroDivisionError" in caplog.text


def test_an_empty_token_is_none() -> None:
    with pytest.raises(ValueError, match="everybody"):
        guard("")
