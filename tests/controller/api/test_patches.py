"""Patches over HTTP: of each kind, by version, and never more than a body could bring."""

from typing import Any

import pytest

from controller.api import request
from tests.controller.api.kit import (
    CONFIGS,
    IRIS,
    SERVICES,
    Api,
    config,
    iris,
)

MERGES: list[Any] = [
    pytest.param(
        "merge-patch+json", {"data": {"a": None, "b": "2"}}, {"b": "2", "c": "x"}, id="merge"
    ),
    pytest.param(
        "strategic-merge-patch+json", {"data": {"a": None, "b": "2"}}, {"b": "2", "c": "x"}, id="s"
    ),
]


@pytest.mark.parametrize(("kind", "patch", "data"), MERGES)
async def test_merge_patches(api: Api, kind: str, patch: Any, data: Any) -> None:
    await api.ok("POST", CONFIGS, json=config(a="1", b="1", c="x"))
    status, after = await api.patch(f"{CONFIGS}/c", kind, patch)
    assert (status, after["data"]) == (200, data)


async def test_a_patch_may_name_the_version_that_it_is_for(api: Api) -> None:
    await api.ok("POST", CONFIGS, json=config())
    stale: Any = {"metadata": {"resourceVersion": "99"}, "data": {"a": "1"}}
    status, body = await api.patch(f"{CONFIGS}/c", "merge-patch+json", stale)
    assert (status, body["reason"]) == (409, "Conflict")


async def test_apply_makes_changes_and_takes_back(api: Api) -> None:
    path, kind = f"{CONFIGS}/c", "apply-patch+yaml"

    async def apply(manager: str, force: str = "false", **data: str) -> tuple[int, Json_]:
        return await api.patch(path, kind, config(**data), fieldManager=manager, force=force)

    assert (await apply("me", a="1", b="1"))[0] == 201
    assert (await apply("me", a="2"))[1]["data"] == {"a": "2"}
    status, body = await apply("you", a="3")
    assert (status, body["details"]["causes"][0]["field"]) == (409, ".data.a")
    assert (await apply("you", force="true", a="3"))[1]["data"] == {"a": "3"}
    assert await api.refused(
        "PATCH", path, data="{}", headers={"Content-Type": f"application/{kind}"}
    ) == (400, "BadRequest")


Json_ = dict[str, Any]


JSON_PATCHES = [
    pytest.param([{"op": "add", "path": "/data/b", "value": "2"}], 200, id="one that fits"),
    pytest.param([{"op": "test", "path": "/data/a", "value": "9"}], 422, id="a test that fails"),
    pytest.param([{"op": "replace", "path": "", "value": [1]}], 400, id="a list for an object"),
    pytest.param([{"op": "remove", "path": "/metadata"}], 400, id="without metadata"),
    pytest.param({"op": "remove", "path": "/data"}, 400, id="no list"),
]


@pytest.mark.parametrize(("patch", "code"), JSON_PATCHES)
async def test_json_patches(api: Api, patch: Any, code: int) -> None:
    await api.ok("POST", CONFIGS, json=config(a="1"))
    status, body = await api.patch(f"{CONFIGS}/c", "json-patch+json", patch)
    assert status == code
    if code == 200:
        assert body["data"] == {"a": "1", "b": "2"}


async def test_a_json_patch_leaves_the_status_alone(api: Api) -> None:
    await api.ok("POST", SERVICES, json=iris())
    patch = [{"op": "add", "path": "/status", "value": {"url": "http://elsewhere"}}]
    status, body = await api.patch(IRIS, "json-patch+json", patch)
    assert (status, "status" in body) == (200, False)


async def test_patches_cannot_make_what_no_body_could_bring(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "MAX_OBJECT_BYTES", 2_000)
    await api.ok("POST", CONFIGS, json=config())
    statuses = []
    for key in "abc":
        patch = {"data": {key: "x" * 700}}
        statuses.append((await api.patch(f"{CONFIGS}/c", "merge-patch+json", patch))[0])
    assert statuses == [200, 200, 413]
