"""Runtimes that nobody has to write: shown as what they are, and out of the way of those who do."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from controller.store.refs import Json
from tests.controller.api.kit import Api, lines_of, running

RUNTIMES = "/apis/serving.kserve.io/v1alpha1/clusterservingruntimes"
MARK = "graphway.dev/built-in"
MERGE = "merge-patch+json"


def runtime(name: str, image: str, **metadata: Any) -> Json:
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterServingRuntime",
        "metadata": {"name": name} | metadata,
        "spec": {
            "supportedModelFormats": [{"name": "sklearn"}],
            "containers": [{"name": "kserve-container", "image": image}],
        },
    }


OURS = f"{RUNTIMES}/sk"
SHIPPED = [runtime("sk", "ours", annotations={"a": "b"}), runtime("xgb", "ours")]


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path, built_in=SHIPPED) as api:
        yield api


def image(item: Json) -> str:
    return str(item["spec"]["containers"][0]["image"])


def is_marked(item: Json) -> bool:
    return MARK in (item["metadata"].get("annotations") or {})


async def test_they_are_listed_and_marked(api: Api) -> None:
    await api.ok("POST", RUNTIMES, json=runtime("mine", "mine"))
    items = (await api.ok("GET", RUNTIMES))["items"]
    assert [(item["metadata"]["name"], is_marked(item)) for item in items] == [
        ("mine", False),
        ("sk", True),
        ("xgb", True),
    ]
    first = await api.ok("GET", RUNTIMES, params={"limit": "2"})
    rest = await api.ok("GET", RUNTIMES, params={"continue": first["metadata"]["continue"]})
    assert first["items"] + rest["items"] == items
    assert (await api.ok("GET", OURS))["metadata"]["annotations"] == {"a": "b", MARK: "true"}
    said = await api.kubectl("get", "clusterservingruntimes")
    assert "BUILTIN" in said.splitlines()[0]
    assert [("yes" in line.split()) for line in said.splitlines()[1:]] == [False, True, True]


WAYS: dict[str, tuple[str, str, Json, str]] = {
    "create": ("POST", RUNTIMES, {"json": runtime("sk", "mine")}, "mine"),
    "replace": ("PUT", OURS, {"json": runtime("sk", "mine", resourceVersion="1")}, "mine"),
    "patch": (
        "PATCH",
        OURS,
        {
            "data": json.dumps({"spec": {"disabled": True}}),
            "headers": {"Content-Type": f"application/{MERGE}"},
        },
        "ours",
    ),
    "apply": (
        "PATCH",
        f"{OURS}?fieldManager=me",
        {
            "data": json.dumps(runtime("sk", "mine")),
            "headers": {"Content-Type": "application/apply-patch+yaml"},
        },
        "mine",
    ),
}


@pytest.mark.parametrize(("method", "path", "options", "now"), WAYS.values(), ids=WAYS)
async def test_one_of_that_name_takes_its_place_until_it_goes(
    api: Api, method: str, path: str, options: Json, now: str
) -> None:
    mine = await api.ok(method, path, **options)
    assert await api.ok("GET", OURS) == mine
    assert (image(mine), is_marked(mine)) == (now, False)
    assert len((await api.ok("GET", RUNTIMES))["items"]) == 2
    await api.ok("DELETE", OURS)
    back = await api.ok("GET", OURS)
    assert (image(back), is_marked(back)) == ("ours", True)


async def test_they_cannot_be_deleted(api: Api) -> None:
    status, said = await api.call("DELETE", OURS)
    assert (status, said["reason"]) == (403, "Forbidden")
    assert "spec.disabled: true" in said["message"]
    await api.ok("DELETE", RUNTIMES)  # all that somebody wrote: none
    assert len((await api.ok("GET", RUNTIMES))["items"]) == 2


async def test_a_dry_run_puts_nothing_in_their_place(api: Api) -> None:
    await api.ok("PUT", OURS, json=runtime("sk", "mine"), params={"dryRun": "All"})
    assert image(await api.ok("GET", OURS)) == "ours"


async def test_a_copy_is_no_built_in_one(api: Api) -> None:
    found = await api.ok("GET", OURS)
    copy = found | {"metadata": {"name": "copy", "annotations": found["metadata"]["annotations"]}}
    assert not is_marked(await api.ok("POST", RUNTIMES, json=copy))


async def test_who_watches_sees_one_change_into_the_other(api: Api) -> None:
    async with api.session.get(f"{api.url}{RUNTIMES}?watch=true") as watch:
        there = await lines_of(watch, 2)
        assert [event["type"] for event in there] == ["ADDED", "ADDED"]
        await api.ok("POST", RUNTIMES, json=runtime("sk", "mine"))
        await api.ok("DELETE", OURS)
        changed, back = await lines_of(watch, 2)
    assert (changed["type"], image(changed["object"])) == ("MODIFIED", "mine")
    assert (back["type"], image(back["object"])) == ("MODIFIED", "ours")
    versions = [event["object"]["metadata"]["resourceVersion"] for event in (changed, back)]
    assert versions == [str(api.store.version - 1), str(api.store.version)]


async def test_kubectl_can_put_its_own_in_their_place(api: Api) -> None:
    text = json.dumps(runtime("sk", "mine"))
    assert "serverside-applied" in await api.kubectl(
        "apply", "--server-side", "-f", "-", stdin=text
    )
    await api.kubectl("delete", "clusterservingruntime", "sk")
    await api.kubectl("apply", "-f", "-", stdin=text)
    assert image(await api.ok("GET", OURS)) == "mine"
    code, said = await api.try_kubectl("delete", "clusterservingruntime", "xgb")
    assert code != 0
    assert "built in" in said
