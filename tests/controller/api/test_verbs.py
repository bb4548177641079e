"""The verbs over HTTP: what they answer, what they refuse, what they leave in the store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from controller.api import request
from controller.api.request import MAX_BODY_BYTES
from tests.controller.api.kit import (
    CONFIG_MAP,
    CONFIGS,
    IRIS,
    KSERVE,
    SERVICES,
    Api,
    config,
    iris,
)

JSON = {"Content-Type": "application/json"}


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


async def test_an_upload_without_end_is_refused_while_it_comes(api: Api) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {2**40}\r\n\r\n".encode() + b"x" * (MAX_BODY_BYTES + 9))
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    body = await reader.readuntil(b'"code":413}')
    writer.close()
    await writer.wait_closed()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "connection: close" in answer.lower()
    assert b"too large" in body


async def test_a_body_that_is_not_encoded_as_it_says(api: Api) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    refused = await api.refused("POST", SERVICES, data=b"{}", headers=headers)
    assert refused == (400, "BadRequest")


@pytest.mark.parametrize("sent", [b'{"kind":', b"5\r\n{\r\n\r\nzz\r\n"], ids=["cut", "garbled"])
async def test_a_body_that_breaks_off_is_nobodys_bug(
    api: Api, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    framing = "Content-Length: 99" if sent.endswith(b":") else "Transfer-Encoding: chunked"
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}{framing}\r\n\r\n".encode() + sent)
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    await api.ok("GET", SERVICES)
    assert "failed" not in caplog.text


async def test_logs_of_a_component(api: Api) -> None:
    await api.ok("POST", SERVICES, json=iris())
    path = f"{api.url}{IRIS}/log?component=transformer&tail=5&follow=true"
    async with api.session.get(path) as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    assert text == "iris transformer None 5 follow=True\nthe second line\n"
    assert await api.refused("GET", f"{IRIS}/log?component=explainer") == (404, "NotFound")
    assert await api.refused("GET", f"{SERVICES}/other/log") == (404, "NotFound")


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


async def test_a_dry_run_shows_no_version_that_there_is_not(api: Api) -> None:
    made = await api.ok("POST", f"{CONFIGS}?dryRun=All", json=config())
    assert "resourceVersion" not in made["metadata"]
    live = await api.ok("POST", CONFIGS, json=config())
    changed = await api.ok("PUT", f"{CONFIGS}/c?dryRun=All", json=config(a="2"))
    assert changed["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
    as_table = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    made = await api.ok("POST", f"{CONFIGS}?dryRun=All", json=config("d"), headers=as_table)
    assert made["rows"][0]["cells"][0] == "d"


async def test_what_goes_while_a_deletion_is_asked_for_is_no_fault(api: Api) -> None:
    for name in "ab":
        await api.ok("POST", CONFIGS, json=config(name))
    came = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await came.wait()
        yield b"}"

    async with asyncio.TaskGroup() as tasks:
        deleting = tasks.create_task(api.ok("DELETE", CONFIGS, data=body()))
        await api.ok("DELETE", f"{CONFIGS}/a")
        came.set()
    assert (await deleting)["status"] == "Success"
    assert api.store.list(CONFIG_MAP).items == []


async def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "BODY_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    head = f"POST {CONFIGS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    assert (await reader.readline()).split()[1] == b"408"
    await reader.read()  # to its end: the connection is not kept
    writer.close()
