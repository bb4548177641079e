"""What a client finds: each kind once, in both forms, and a schema where it looks for one."""

from typing import Any

import pytest

from controller.store.own_kinds import ALL_KINDS, READ_ONLY
from tests.controller.api.kit import Api

NEW = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
ALL = {(kind.api_version, kind.plural) for kind in ALL_KINDS}


async def test_the_old_form_leads_to_every_kind(api: Api) -> None:
    groups = (await api.ok("GET", "/apis"))["groups"]
    versions = [v["groupVersion"] for group in groups for v in group["versions"]]
    assert (await api.ok("GET", "/api"))["versions"] == ["v1"]
    found = set()
    for path in ("/api/v1", *(f"/apis/{version}" for version in versions)):
        listed = await api.ok("GET", path)
        assert listed["groupVersion"] == path.split("/", 2)[2]
        plain = [one for one in listed["resources"] if "/" not in one["name"]]
        found |= {(listed["groupVersion"], one["name"]) for one in plain}
    assert found == ALL
    for group in groups:
        alone = await api.ok("GET", f"/apis/{group['name']}")
        assert alone["preferredVersion"] == group["preferredVersion"]
    serving = next(group for group in groups if group["name"] == "serving.kserve.io")
    assert serving["preferredVersion"]["version"] == "v1beta1"


async def test_the_new_form_tells_every_kind_at_once(api: Api) -> None:
    found = {}
    for path in ("/api", "/apis"):
        async with api.session.get(api.url + path, headers=NEW) as response:
            assert response.headers["Content-Type"] == NEW["Accept"]
            items = (await response.json())["items"]
        for item in items:
            for version in item["versions"]:
                name = item["metadata"]["name"]
                full = f"{name}/{version['version']}" if name else version["version"]
                found |= {(full, one["resource"]): one for one in version["resources"]}
    assert set(found) == ALL
    assert found["serving.kserve.io/v1beta1", "inferenceservices"]["shortNames"] == ["isvc"]
    read_only = {kind.plural for kind in READ_ONLY}
    for (_, plural), one in found.items():
        assert ("create" in one["verbs"]) == (plural not in read_only)


async def test_the_version_is_one_of_kubernetes(api: Api) -> None:
    version = await api.ok("GET", "/version")
    assert version["gitVersion"].startswith(f"v{version['major']}.{version['minor']}.")


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)
async def test_every_kind_has_a_schema_and_the_options_of_its_patch(api: Api, kind: Any) -> None:
    index = (await api.ok("GET", "/openapi/v3"))["paths"]
    group = f"apis/{kind.api_version}" if kind.group else "api/v1"
    document = await api.ok("GET", index[group]["serverRelativeURL"])
    meant = {"group": kind.group, "version": kind.version, "kind": kind.name}
    known = "x-kubernetes-group-version-kind"
    schemas = document["components"]["schemas"].values()
    assert [schema for schema in schemas if schema[known] == [meant]]
    patches = [path["patch"] for path in document["paths"].values() if "patch" in path]
    (patch,) = [patch for patch in patches if patch[known] == meant]
    assert {"dryRun", "fieldValidation"} <= {one["name"] for one in patch["parameters"]}


async def test_what_is_not_there_is_a_status(api: Api) -> None:
    for path in ("/apis/none", "/apis/none/v1", "/openapi/v2", "/api/v2", "/openapi/v3/none"):
        assert await api.refused("GET", path) == (404, "NotFound")
