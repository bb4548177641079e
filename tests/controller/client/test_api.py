"""The client of the resource API where the commands and the SDK do not show all of it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from controller.api.respond import answer
from controller.client.api import Api, Selection
from controller.client.connection import Connection, read_warning
from controller.client.origin import Origin
from controller.resources.kinds import KINDS
from controller.store.errors import ApiError
from tests.kit.api_server import ApiServer, ref

WHERE = ref("configmap", "x")
THING = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path).running() as running:
        yield running


@pytest.fixture
def api(server: ApiServer) -> Api:
    return Api(Connection(server.url))


def test_the_server_tells_all_kinds_of_the_table(api: Api) -> None:
    for kind in KINDS:
        found = api.kind_of(kind.api_version, kind.name)
        assert found is not None
        assert (found.plural, found.namespaced) == (kind.plural, kind.namespaced)
        for word in (kind.name, kind.plural, kind.singular, *kind.short_names):
            assert api.kind(word) == found
            assert api.kind(f"{word}.{kind.group}" if kind.group else word) == found


def test_who_fell_behind_gets_everything_anew(server: ApiServer, api: Api) -> None:
    server.act(lambda store: store.create(WHERE.kind, THING))
    kind = api.kind("configmaps")
    assert kind is not None
    events = api.watch(kind, Selection("default"), version="999999999")
    (event,) = islice(events, 1)
    events.close()  # type: ignore[attr-defined]
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "x")


def test_a_name_cannot_leave_its_place_in_the_path(api: Api) -> None:
    kind = api.kind("configmaps")
    assert kind is not None
    assert kind.path("a/b", "c/../d?e") == "/api/v1/namespaces/a%2Fb/configmaps/c%2F..%2Fd%3Fe"
    with pytest.raises(ApiError) as raised:
        api.get(kind, "default", "../secrets/y")
    assert raised.value.code == 404


@given(st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" ")))
def test_a_warning_is_read_as_it_was_meant(text: str) -> None:
    sent: web.Response = answer({}, warnings=[text])
    assert read_warning(sent.headers["Warning"]) == text


URLS = [
    ("http://127.0.0.1:9902", "http://127.0.0.1:9902"),
    ("http://127.0.0.1:9902/", "http://127.0.0.1:9902"),
    ("localhost:9902", "http://localhost:9902"),
    ("https://[::1]/below/", "https://[::1]/below"),
]


@pytest.mark.parametrize(("given", "meant"), URLS, ids=[url[0] for url in URLS])
def test_urls(given: str, meant: str) -> None:
    assert Origin(given).url == meant


def test_a_refusal_has_its_reason(api: Api) -> None:
    with pytest.raises(ApiError, match="must be one JSON object") as raised:
        api.connection.ask("POST", "/api/v1/namespaces/default/configmaps", None, b"[]")
    assert (raised.value.code, raised.value.reason) == (400, "BadRequest")
