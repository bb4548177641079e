"""Lists in portions: together they are one state, whatever is written between them."""

from typing import Any

import pytest

from controller.store import changes
from tests.controller.api.kit import CONFIG_MAP, CONFIGS, Api, config

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def make(api: Api, *names: str) -> None:
    for name in names:
        api.store.create(CONFIG_MAP, config(name))


async def names_of(api: Api, **query: str) -> tuple[list[str], str]:
    found = await api.ok("GET", CONFIGS, params={"limit": "2"} | query)
    return [item["metadata"]["name"] for item in found["items"]], found["metadata"].get(
        "continue", ""
    )


async def all_from(api: Api, token: str, **query: str) -> list[str]:
    names: list[str] = []
    while token:
        more, token = await names_of(api, **{"continue": token}, **query)
        names += more
    return names


async def test_portions_are_the_whole_list(api: Api) -> None:
    make(api, "e", "d", "c", "b", "a")
    names, token = await names_of(api)
    assert names == ["a", "b"]
    assert await all_from(api, token) == ["c", "d", "e"]
    assert (await names_of(api, limit="5"))[1] == ""
    assert (await names_of(api, limit="0")) == (["a", "b", "c", "d", "e"], "")


async def test_what_is_written_between_them_is_not_seen(api: Api) -> None:
    make(api, "a", "b", "c", "e")
    first = await api.ok("GET", CONFIGS, params={"limit": "2"})
    token = first["metadata"]["continue"]
    make(api, "d")
    await api.ok("DELETE", f"{CONFIGS}/e")
    await api.ok("PUT", f"{CONFIGS}/c", json=config("c", x="new"))
    second = await api.ok("GET", CONFIGS, params={"limit": "9", "continue": token})
    assert [item["metadata"]["name"] for item in second["items"]] == ["c", "e"]
    assert "x" not in second["items"][0].get("data", {})
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


async def test_selections_are_portioned_too(api: Api) -> None:
    for number in range(6):
        labels = {"side": "odd" if number % 2 else "even"}
        said = config(f"c{number}")
        api.store.create(CONFIG_MAP, said | {"metadata": said["metadata"] | {"labels": labels}})
    names, token = await names_of(api, labelSelector="side=odd")
    assert names == ["c1", "c3"]
    assert await all_from(api, token, labelSelector="side=odd") == ["c5"]


async def test_other_namespaces_and_kinds_do_not_count(api: Api) -> None:
    make(api, "a", "b", "c")
    _, token = await names_of(api)
    elsewhere = config("b2") | {"metadata": {"name": "b2", "namespace": "x"}}
    await api.ok("POST", CONFIGS.replace("default", "x"), json=elsewhere)
    assert await all_from(api, token) == ["c"]
    everywhere = CONFIGS.replace("/namespaces/default", "")
    found = await api.ok("GET", everywhere, params={"limit": "3"})
    rest = await api.ok("GET", everywhere, params={"continue": found["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in rest["items"]] == ["b2"]


async def test_a_table_tells_that_there_is_more(api: Api) -> None:
    make(api, "a", "b", "c")
    found = await api.ok("GET", CONFIGS, params={"limit": "2"}, headers=TABLE)
    assert [row["cells"][0] for row in found["rows"]] == ["a", "b"]
    assert found["metadata"]["continue"]


async def test_one_state_again_as_long_as_it_is_remembered(api: Api) -> None:
    make(api, "a")
    version = str(api.store.version)
    make(api, "b")
    exact: dict[str, Any] = {"resourceVersion": version, "resourceVersionMatch": "Exact"}
    assert (await names_of(api, **exact))[0] == ["a"]


async def test_a_token_of_a_forgotten_state_is_expired(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_CHANGES", 2)
    make(api, "a", "b", "c")
    _, token = await names_of(api)
    make(api, "d", "e", "f")
    params = {"continue": token}
    assert await api.refused("GET", CONFIGS, params=params) == (410, "Expired")


@pytest.mark.parametrize(
    "query",
    [
        {"continue": "%%%"},
        {"continue": "e30="},
        {"continue": "eyJ2ZXJzaW9uIjoxLCJhZnRlciI6WzEsMl19"},
        {"continue": "ü"},
        {"resourceVersionMatch": "Perhaps"},
        {"limit": "-1"},
    ],
    ids=lambda query: "&".join(f"{k}={v}" for k, v in query.items()),
)
async def test_what_cannot_be_read_is_refused(api: Api, query: dict[str, str]) -> None:
    assert await api.refused("GET", CONFIGS, params=query) == (400, "BadRequest")


async def test_kubectl_asks_for_portions(api: Api) -> None:
    make(api, *(f"c{number}" for number in range(5)))
    said = await api.kubectl("get", "configmaps", "--chunk-size=2", "-o", "name")
    assert said.split() == [f"configmap/c{number}" for number in range(5)]
    said = await api.kubectl("get", "configmaps", "--chunk-size=2", "--no-headers")
    assert len(said.splitlines()) == 5
