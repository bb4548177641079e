"""The verbs over HTTP: what they answer, what they refuse, what they leave in the store."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.controller.api.kit import (
    CONFIGS,
    IRIS,
    JSON,
    KSERVE,
    SERVICES,
    Api,
    config,
    iris,
)


async def test_an_object_from_its_creation_to_its_end(api: Api) -> None:
    made = await api.ok("POST", SERVICES, json=iris())
    assert made["metadata"]["namespace"] == "default"
    assert await api.ok("GET", IRIS) == made
    made["spec"]["predictor"]["minReplicas"] = 2
    replaced = await api.ok("PUT", IRIS, json=made)
    assert replaced["metadata"]["generation"] == 2
    listed = await api.ok("GET", f"{KSERVE}/inferenceservices")
    assert (listed["kind"], listed["items"]) == ("InferenceServiceList", [replaced])
    gone = await api.ok("DELETE", IRIS)
    assert (gone["status"], gone["details"]["name"]) == ("Success", "iris")
    assert (await api.ok("GET", SERVICES))["items"] == []


async def test_yaml_is_taken_as_well(api: Api) -> None:
    body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 'yes'}\n"
    made = await api.ok("POST", CONFIGS, data=body, headers={"Content-Type": "application/yaml"})
    assert made["data"] == {"a": "yes"}


async def test_a_name_is_made_if_only_its_beginning_is_given(api: Api) -> None:
    said = config("") | {"metadata": {"generateName": "c-"}}
    names = {(await api.ok("POST", CONFIGS, json=said))["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("c-") and len(name) == 7 for name in names)


Request = dict[str, Any]
REFUSED: list[Any] = [
    pytest.param("GET", f"{SERVICES}/other", {}, 404, "NotFound", id="not there"),
    pytest.param("GET", f"{KSERVE}/nonsense", {}, 404, "NotFound", id="no such kind"),
    pytest.param("GET", "/apis/other.dev/v1/things", {}, 404, "NotFound", id="no such group"),
    pytest.param("POST", SERVICES, {"json": iris()}, 409, "AlreadyExists", id="there already"),
    pytest.param("POST", SERVICES, {"json": config()}, 400, "BadRequest", id="of another kind"),
    pytest.param(
        "POST", SERVICES, {"json": iris(namespace="x")}, 400, "BadRequest", id="other namespace"
    ),
    pytest.param(
        "PUT", IRIS, {"json": iris(name="other")}, 400, "BadRequest", id="name and path differ"
    ),
    pytest.param(
        "PUT", IRIS, {"json": iris(resourceVersion="99")}, 409, "Conflict", id="a stale version"
    ),
    pytest.param("PUT", IRIS, {"json": iris(uid="x")}, 409, "Conflict", id="another uid"),
    pytest.param(
        "DELETE", IRIS, {"json": {"preconditions": {"uid": "x"}}}, 409, "Conflict", id="its uid"
    ),
    pytest.param(
        "DELETE", IRIS, {"json": {"propagationPolicy": "Soon"}}, 400, "BadRequest", id="policy"
    ),
    pytest.param("POST", SERVICES, {"json": []}, 400, "BadRequest", id="a list"),
    pytest.param(
        "POST", SERVICES, {"json": iris() | {"metadata": 3}}, 400, "BadRequest", id="metadata 3"
    ),
    pytest.param("POST", SERVICES, {"json": iris(name=3)}, 400, "BadRequest", id="a name of 3"),
    pytest.param(
        "POST", SERVICES, {"json": iris(name="b", labels=3)}, 422, "Invalid", id="labels of 3"
    ),
    pytest.param(
        "POST", SERVICES, {"json": iris(name="b", finalizers=[3])}, 422, "Invalid", id="finalizers"
    ),
    pytest.param("POST", SERVICES, {"json": iris(name="")}, 422, "Invalid", id="no name"),
    pytest.param(
        "POST", SERVICES, {"data": b"{", "headers": JSON}, 400, "BadRequest", id="no JSON"
    ),
    pytest.param(
        "POST", SERVICES, {"data": b'"\xff"', "headers": JSON}, 400, "BadRequest", id="no UTF-8"
    ),
    pytest.param(
        "POST", SERVICES, {"data": b"[" * 90_000, "headers": JSON}, 400, "BadRequest", id="open"
    ),
    pytest.param(
        "POST",
        SERVICES,
        {"data": b'{"a":' * 5000 + b"1" + b"}" * 5000, "headers": JSON},
        400,
        "BadRequest",
        id="deep",
    ),
    pytest.param(
        "POST",
        SERVICES,
        {"data": b"a: [" * 500, "headers": {"Content-Type": "application/yaml"}},
        400,
        "BadRequest",
        id="YAML that is none",
    ),
    pytest.param(
        "POST",
        SERVICES,
        {"data": b"a: 1\n---\nb: 2\n", "headers": {"Content-Type": "application/yaml"}},
        400,
        "BadRequest",
        id="two documents",
    ),
    pytest.param(
        "POST",
        SERVICES,
        {"data": b"{}", "headers": {"Content-Type": "text/plain"}},
        415,
        "UnsupportedMediaType",
        id="what a form could send",
    ),
    pytest.param(
        "PATCH",
        IRIS,
        {"data": b"[]", "headers": {"Content-Type": "application/x-patch"}},
        415,
        "UnsupportedMediaType",
        id="a patch of another kind",
    ),
    pytest.param(
        "PATCH",
        IRIS,
        {"data": b"{}", "headers": {"Content-Type": "application/strategic-merge-patch+json"}},
        415,
        "UnsupportedMediaType",
        id="a strategic patch of what has no strategy",
    ),
    pytest.param(
        "GET", SERVICES, {"headers": {"Accept": "text/html"}}, 406, "NotAcceptable", id="HTML"
    ),
    pytest.param(
        "GET", f"{SERVICES}?limit=x&timeoutSeconds=x&watch=1", {}, 400, "BadRequest", id="x"
    ),
    pytest.param("GET", f"{SERVICES}?watch=perhaps", {}, 400, "BadRequest", id="perhaps"),
    pytest.param("GET", f"{SERVICES}?labelSelector=a(", {}, 400, "BadRequest", id="a selector"),
    pytest.param(
        "GET", f"{SERVICES}?fieldSelector=spec.x=1", {}, 400, "BadRequest", id="an unknown field"
    ),
    pytest.param("DELETE", f"{IRIS}?dryRun=yes", {}, 400, "BadRequest", id="half a dry run"),
    pytest.param(
        "GET",
        f"{SERVICES}?resourceVersion=77&resourceVersionMatch=Exact",
        {},
        410,
        "Expired",
        id="as it was then",
    ),
    pytest.param("POST", IRIS, {"json": iris()}, 405, "MethodNotAllowed", id="POST to an object"),
    pytest.param(
        "POST",
        "/api/v1/namespaces/default/events",
        {"json": {}},
        405,
        "MethodNotAllowed",
        id="event",
    ),
    pytest.param(
        "DELETE", "/api/v1/namespaces/default/pods/p", {}, 405, "MethodNotAllowed", id="a pod"
    ),
]


@pytest.mark.parametrize(("method", "path", "request_", "code", "reason"), REFUSED)
async def test_refusals(
    api: Api, method: str, path: str, request_: Request, code: int, reason: str
) -> None:
    before = await api.ok("POST", SERVICES, json=iris())
    assert await api.refused(method, path, **request_) == (code, reason)
    assert (await api.ok("GET", SERVICES))["items"] == [before]


async def test_every_fault_of_an_object_is_told_with_its_field(api: Api) -> None:
    said = iris() | {"spec": {"predictor": {"sklearn": {"storageURI": "x"}, "minReplica": 1}}}
    status, body = await api.call("POST", SERVICES, json=said)
    assert (status, body["reason"]) == (422, "Invalid")
    fields = {cause["field"] for cause in body["details"]["causes"]}
    assert {"spec.predictor.sklearn.storageURI", "spec.predictor.minReplica"} <= fields
    assert all(field in body["message"] for field in fields)


async def test_a_graph_is_checked_as_in_a_file(api: Api) -> None:
    path = "/apis/serving.kserve.io/v1alpha1/namespaces/default/inferencegraphs"
    said: Any = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "g"},
        "spec": {"nodes": {"root": {"routerType": "Sequence", "steps": [{"nodeName": "x"}]}}},
    }
    status, body = await api.call("POST", path, json=said)
    assert status == 422
    assert [cause["field"] for cause in body["details"]["causes"]] == [
        "spec.nodes.root.steps[0].nodeName"
    ]
    said["spec"]["nodes"]["root"]["steps"] = [{"serviceName": "iris"}]
    assert (await api.ok("POST", path, json=said))["spec"] == said["spec"]


async def test_what_is_only_warned_of_is_said_in_a_header(api: Api) -> None:
    old = iris() | {"spec": {"predictor": {"sklearn": {"storageUri": "s3://b"}}}}
    old["spec"]["canaryTrafficPercent"] = 10
    async with api.session.post(api.url + SERVICES, json=old) as response:
        assert response.status == 201
        (warning,) = response.headers.getall("Warning")
    assert warning.startswith('299 - "spec')


async def test_status_is_written_at_its_own_path_only(api: Api) -> None:
    made = await api.ok("POST", SERVICES, json=iris() | {"status": {"url": "http://lie"}})
    assert "status" not in made
    other = iris() | {"status": {"url": "http://a"}, "spec": {"predictor": {"minReplicas": 7}}}
    after = await api.ok("PUT", f"{IRIS}/status", json=other)
    assert (after["status"], after["spec"]) == ({"url": "http://a"}, made["spec"])
    _, after = await api.patch(
        f"{IRIS}/status", "merge-patch+json", {"status": {"url": "http://b"}}
    )
    assert after["status"] == {"url": "http://b"}
    after = await api.ok("PUT", IRIS, json=iris() | {"status": {}})
    assert after["status"] == {"url": "http://b"}
    assert await api.refused("PUT", f"{IRIS}/status", json=iris(resourceVersion="1")) == (
        409,
        "Conflict",
    )
    status, _ = await api.patch(f"{IRIS}/status", "merge-patch+json", {"status": {"url": 3}})
    assert status == 422


DRY: list[Any] = [
    pytest.param(lambda a: a.ok("POST", f"{CONFIGS}?dryRun=All", json=config("d")), id="create"),
    pytest.param(
        lambda a: a.ok("PUT", f"{CONFIGS}/c?dryRun=All", json=config(a="9")), id="replace"
    ),
    pytest.param(
        lambda a: a.patch(f"{CONFIGS}/c", "merge-patch+json", {"data": None}, dryRun="All"),
        id="patch",
    ),
    pytest.param(lambda a: a.ok("DELETE", f"{CONFIGS}/c?dryRun=All"), id="delete"),
    pytest.param(
        lambda a: a.ok("DELETE", f"{CONFIGS}/c", json={"dryRun": ["All"]}), id="in the body"
    ),
    pytest.param(lambda a: a.ok("DELETE", f"{CONFIGS}?dryRun=All"), id="delete all"),
]


@pytest.mark.parametrize("call", DRY)
async def test_dry_runs_answer_and_change_nothing(
    api: Api, call: Callable[[Api], Awaitable[Any]]
) -> None:
    before = await api.ok("POST", CONFIGS, json=config(a="1"))
    await call(api)
    assert (await api.ok("GET", CONFIGS))["items"] == [before]


async def test_selections_of_a_list_and_of_a_deletion(api: Api) -> None:
    for name, app in (("a", "x"), ("b", "x"), ("c", "y")):
        said = config(name)
        said["metadata"]["labels"] = {"app": app}
        await api.ok("POST", CONFIGS, json=said)

    async def names(query: str) -> list[str]:
        found = await api.ok("GET", f"{CONFIGS}?{query}")
        return [item["metadata"]["name"] for item in found["items"]]

    assert await names("labelSelector=app%3Dx") == ["a", "b"]
    assert await names("fieldSelector=metadata.name%3Db") == ["b"]
    assert await names("labelSelector=app%3Dx&fieldSelector=metadata.name%3Dc") == []
    await api.ok("DELETE", f"{CONFIGS}?labelSelector=app%3Dx")
    assert await names("") == ["c"]


async def test_of_many_who_edit_the_same_version_one_wins(api: Api) -> None:
    made = await api.ok("POST", CONFIGS, json=config(a="0"))

    async def edit(value: int) -> int:
        body = made | {"data": {"a": str(value)}}
        return (await api.call("PUT", f"{CONFIGS}/c", json=body))[0]

    async with asyncio.TaskGroup() as tasks:
        edits = [tasks.create_task(edit(value)) for value in range(1, 9)]
    assert sorted(edit.result() for edit in edits) == [200] + [409] * 7


async def test_logs_of_a_component(api: Api) -> None:
    await api.ok("POST", SERVICES, json=iris())
    path = f"{api.url}{IRIS}/log?component=transformer&tail=5&follow=true"
    async with api.session.get(path) as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    assert text == "iris transformer None 5 follow=True\nthe second line\n"
    assert await api.refused("GET", f"{IRIS}/log?component=explainer") == (404, "NotFound")
    assert await api.refused("GET", f"{SERVICES}/other/log") == (404, "NotFound")


async def test_a_dry_run_shows_no_version_that_there_is_not(api: Api) -> None:
    made = await api.ok("POST", f"{CONFIGS}?dryRun=All", json=config())
    assert "resourceVersion" not in made["metadata"]
    live = await api.ok("POST", CONFIGS, json=config())
    changed = await api.ok("PUT", f"{CONFIGS}/c?dryRun=All", json=config(a="2"))
    assert changed["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
    as_table = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    made = await api.ok("POST", f"{CONFIGS}?dryRun=All", json=config("d"), headers=as_table)
    assert made["rows"][0]["cells"][0] == "d"
