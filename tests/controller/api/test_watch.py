"""Watching: nothing missed, nothing twice, whoever falls behind or stays away is told."""

import asyncio
import json
import socket
from typing import Any

import pytest
from aiohttp import ClientResponse

from controller.api import watch
from controller.store import changes
from tests.controller.api.kit import CONFIG_MAP, CONFIGS, Api, config, lines_of
from tests.kit.eventually import eventually


async def lines(response: ClientResponse, number: int) -> list[tuple[str, str, Any]]:
    """Type, name and data of the next events."""
    return [
        (event["type"], event["object"]["metadata"]["name"], event["object"].get("data"))
        for event in await lines_of(response, number)
    ]


def watching(api: Api, query: str = "") -> Any:
    return api.session.get(f"{api.url}{CONFIGS}?watch=true&{query}")


async def test_from_a_list_on_every_change_is_told_once(api: Api) -> None:
    await api.ok("POST", CONFIGS, json=config("a", x="1"))
    version = (await api.ok("GET", CONFIGS))["metadata"]["resourceVersion"]
    await api.ok("PUT", f"{CONFIGS}/a", json=config("a", x="2"))
    async with watching(api, f"resourceVersion={version}") as response:
        assert await lines(response, 1) == [("MODIFIED", "a", {"x": "2"})]
        await api.ok("POST", CONFIGS, json=config("b"))
        await api.ok("DELETE", f"{CONFIGS}/a")
        told = await lines(response, 2)
    assert told == [("ADDED", "b", {}), ("DELETED", "a", {"x": "2"})]


@pytest.mark.parametrize("version", ["", "resourceVersion=0"])
async def test_without_a_version_all_that_is_there_comes_first(api: Api, version: str) -> None:
    await api.ok("POST", CONFIGS, json=config("a"))
    async with watching(api, version) as response:
        assert await lines(response, 1) == [("ADDED", "a", {})]
        await api.ok("POST", CONFIGS, json=config("b"))
        assert await lines(response, 1) == [("ADDED", "b", {})]


async def test_a_list_by_watching_ends_with_a_mark(api: Api) -> None:
    await api.ok("POST", CONFIGS, json=config("a"))
    query = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    async with watching(api, query) as response:
        added, mark = await lines_of(response, 2)
    assert (added["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"] == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {
            "resourceVersion": "1",
            "annotations": {"k8s.io/initial-events-end": "true"},
        },
    }


async def test_what_enters_and_leaves_a_selection(api: Api) -> None:
    def labelled(app: str) -> Any:
        return config("a") | {"metadata": {"name": "a", "labels": {"app": app}}}

    async with watching(api, "labelSelector=app%3Dx") as response:
        await api.ok("POST", CONFIGS, json=labelled("y"))
        for app in ("x", "z"):
            await api.ok("PUT", f"{CONFIGS}/a", json=labelled(app))
        await api.ok("DELETE", f"{CONFIGS}/a")
        await api.ok("POST", CONFIGS, json=labelled("x"))
        told = [kind for kind, _, _ in await lines(response, 3)]
    assert told == ["ADDED", "DELETED", "ADDED"]


async def test_one_namespace_and_one_kind(api: Api) -> None:
    async with watching(api) as response:
        await api.ok("POST", CONFIGS.replace("default", "other"), json=config("a"))
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
        await api.ok("POST", CONFIGS.replace("configmaps", "secrets"), json=secret)
        await api.ok("POST", CONFIGS, json=config("b"))
        assert await lines(response, 1) == [("ADDED", "b", {})]


async def test_a_watch_ends_at_its_time(api: Api) -> None:
    async with watching(api, "timeoutSeconds=1") as response:
        assert await response.read() == b""


async def test_a_sign_of_life_tells_the_version(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BOOKMARK_EVERY_S", 0.01)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    await api.ok("POST", CONFIGS.replace("configmaps", "secrets"), json=secret)
    async with watching(api, "allowWatchBookmarks=true") as response:
        (event,) = await lines_of(response, 1)
    assert (event["type"], event["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", "1")


@pytest.mark.parametrize("version", ["1", "1000"])
async def test_a_version_that_nobody_remembers_is_refused_at_once(
    api: Api, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(changes, "MAX_CHANGES", 2)
    for name in "abcd":
        await api.ok("POST", CONFIGS, json=config(name))
    query = f"{CONFIGS}?watch=true&resourceVersion={version}"
    assert await api.refused("GET", query) == (410, "Expired")


async def test_who_reads_too_slowly_is_told_to_list_anew(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_CHANGES", 4)
    async with watching(api) as response:
        await api.ok("POST", CONFIGS, json=config("a"))
        assert await lines(response, 1) == [("ADDED", "a", {})]
        for name in "bcdefgh":  # in one go: the watcher has no turn in between
            api.store.create(CONFIG_MAP, config(name))
        (event,) = await lines_of(response, 1)
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        assert await response.read() == b""


async def test_who_does_not_read_at_all_is_cut_off(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_WRITE_S", 0.05)
    host, port = api.url.removeprefix("http://").split(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (host, int(port)))
        head = f"GET {CONFIGS}?watch=true HTTP/1.1\r\nHost: localhost\r\n\r\n"
        await loop.sock_sendall(client, head.encode())
        await eventually(lambda: api.store.changes.listeners == 1)
        for number in range(40):
            await api.ok("POST", CONFIGS, json=config(f"c{number}", filler="x" * 500_000))
        await eventually(lambda: api.store.changes.listeners == 0)


async def test_who_leaves_is_forgotten(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BOOKMARK_EVERY_S", 0.01)
    async with watching(api):
        assert api.store.changes.listeners == 1
    await eventually(lambda: api.store.changes.listeners == 0)


async def test_the_end_of_the_store_ends_all_watches(api: Api) -> None:
    async with watching(api) as response:
        await api.ok("POST", CONFIGS, json=config("a"))
        api.store.changes.close()
        events = (await response.read()).splitlines()
    assert [json.loads(event)["type"] for event in events] == ["ADDED"]


async def test_rows_of_a_table(api: Api) -> None:
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    await api.ok("POST", CONFIGS, json=config("a"))
    async with api.session.get(f"{api.url}{CONFIGS}?watch=true", headers=accept) as response:
        (event,) = await lines_of(response, 1)
    assert event["object"]["kind"] == "Table"
    assert [row["cells"][0] for row in event["object"]["rows"]] == ["a"]


async def test_large_changes_come_whole_and_in_order(api: Api) -> None:
    """More than one portion, at the start and later."""
    text = "x" * watch.PORTION_BYTES
    for name in "abc":
        await api.ok("POST", CONFIGS, json=config(name, x=text))
    async with watching(api) as response:
        first = [json.loads(await response.content.readuntil(b"\n")) for _ in range(3)]
        for name in "abc":
            await api.ok("DELETE", f"{CONFIGS}/{name}")
        then = [json.loads(await response.content.readuntil(b"\n")) for _ in range(3)]
    assert [event["type"] for event in (*first, *then)] == ["ADDED"] * 3 + ["DELETED"] * 3
    assert [event["object"]["metadata"]["name"] for event in (*first, *then)] == [*"abcabc"]
