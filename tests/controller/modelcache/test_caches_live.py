"""Caches with real downloads and real processes: prefetched once, shared, pinned, evicted, kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from controller.local.node import this_node
from controller.modelcache.known import CACHE
from controller.store.refs import Ref
from tests.controller.modelcache.kit import (
    RUNTIME,
    cache,
    events,
    found,
    group,
    models,
    node,
    room,
    state,
    user,
    why,
)
from tests.controller.running import Plane, running
from tests.controller.storage.site import Site
from tests.controller.storage.test_unpack import tar
from tests.kit.eventually import eventually

KIB = 1024


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as running:
        yield running


def put(site: Site, name: str, size: int = 1000) -> str:
    site.put(f"/{name}", bytes(size))
    return site.url(f"/{name}")


def downloads(site: Site, name: str) -> int:
    """How often its bytes were asked for; these models are one part each."""
    asked = [a for a in site.asked if a.path == f"/{name}" and a.range != "bytes=0-0"]
    return len(asked)


def delete(plane: Plane, name: str) -> None:
    plane.store.delete(Ref(CACHE, "", name))


def failure_of(plane: Plane, name: str) -> str:
    info = plane.model(name).get("lastFailureInfo") or {}
    return str(info.get("message", ""))


async def test_a_cache_is_fetched_before_anybody_asks(site: Site, tmp_path: Path) -> None:
    uri = put(site, "m", 5000)
    async with running(tmp_path, group(), cache("iris", uri, "8Ki")) as plane:
        await eventually(lambda: state(plane, "iris") == "Downloaded")
        assert found(plane, "iris")["status"]["copies"] == {"available": 1, "total": 1, "failed": 0}
        assert found(plane, "iris")["metadata"]["finalizers"] == ["localmodel.kserve.io/finalizer"]
        assert node(plane)["status"] == {"modelStatus": {"iris": "ModelDownloaded"}}
        (entry,) = node(plane)["spec"]["localModels"]
        assert entry == {"sourceModelUri": uri, "modelName": "iris", "nodeGroup": "disk"}
        assert room(plane) == {"used": "5000", "available": "1023Mi"}
        assert len(models(tmp_path)) == 1
        assert "ModelDownloaded" in events(plane, "iris")


async def test_settled_it_writes_nothing(site: Site, tmp_path: Path) -> None:
    uri = put(site, "m")
    async with running(tmp_path, RUNTIME, group(), cache("iris", uri), user(uri)) as plane:
        await eventually(lambda: plane.ready() and state(plane, "iris") == "Downloaded")
        await plane.settled_caches()
        version = plane.store.version
        await plane.settled_caches()
        assert plane.store.version == version


@pytest.mark.parametrize("cached", [True, False], ids=["with a cache", "without any cache"])
async def test_two_services_of_one_model_download_it_once(
    cached: bool, site: Site, tmp_path: Path
) -> None:
    uri = put(site, "m")
    texts = [group(), cache("iris", uri)] if cached else []
    services = [user(uri, "one"), user(uri, "two")]
    async with running(tmp_path, RUNTIME, *texts, *services) as plane:
        await eventually(lambda: plane.ready("one") and plane.ready("two"))
        assert downloads(site, "m") == 1
        assert len(models(tmp_path)) == 1
        bound = (found(plane, "iris").get("status") or {}).get("inferenceServices")
        expected = [{"namespace": "default", "name": name} for name in ("one", "two")]
        assert bound == (expected if cached else None)
        assert ("ModelCacheBound" in plane.events("one")) is cached


async def test_a_path_below_a_cached_model(site: Site, tmp_path: Path) -> None:
    site.put("/m.tgz", tar(("v1/model.bin", b"1"), ("v2/model.bin", b"2")))
    uri = site.url("/m.tgz")
    texts = [RUNTIME, group(), cache("iris", uri), user(f"{uri}/v2"), user(f"{uri}/v3", "other")]
    async with running(tmp_path, *texts) as plane:
        await eventually(plane.ready)
        (folder,) = models(tmp_path)
        assert downloads(site, "m.tgz") == 1
        failure = await eventually(lambda: failure_of(plane, "other"))
        assert "has no v3" in failure
        assert (folder / "v2" / "model.bin").read_bytes() == b"2"


async def test_a_namespace_cache_goes_before_one_of_the_cluster(site: Site, tmp_path: Path) -> None:
    uri = put(site, "m")
    texts = [RUNTIME, group(), cache("iris", uri), cache("iris", uri, namespace="default")]
    async with running(tmp_path, *texts, user(uri)) as plane:
        await eventually(plane.ready)
        own = {"namespace": "default", "name": "iris"}
        await eventually(
            lambda: found(plane, "iris", "default")["status"].get("inferenceServices") == [own]
        )
        assert "inferenceServices" not in found(plane, "iris")["status"]
        assert downloads(site, "m") == 1
        assert sorted(node(plane)["status"]["modelStatus"]) == ["default/iris", "iris"]


@pytest.mark.parametrize(
    "annotations",
    ["{serving.kserve.io/disable-localmodel: ''}", "{serving.kserve.io/nodegroup: other}"],
)
async def test_a_service_may_keep_out(annotations: str, site: Site, tmp_path: Path) -> None:
    uri = put(site, "m")
    texts = [RUNTIME, group(), cache("iris", uri), user(uri, annotations=annotations)]
    async with running(tmp_path, *texts) as plane:
        await eventually(lambda: plane.ready() and state(plane, "iris") == "Downloaded")
        assert "inferenceServices" not in found(plane, "iris")["status"]


async def test_the_config_map_switches_binding_off(site: Site, tmp_path: Path) -> None:
    uri = put(site, "m")
    config = """
apiVersion: v1
kind: ConfigMap
metadata: {name: inferenceservice-config, namespace: kserve}
data: {localModel: '{"enabled": false}'}
"""
    texts = [RUNTIME, config, group(), cache("iris", uri), user(uri)]
    async with running(tmp_path, *texts) as plane:
        await eventually(lambda: plane.ready() and state(plane, "iris") == "Downloaded")
        assert "inferenceServices" not in found(plane, "iris")["status"]


async def test_a_full_cache_lets_the_least_used_go(site: Site, tmp_path: Path) -> None:
    uris = {name: put(site, name, 3 * KIB) for name in ("a", "b", "c")}
    old = [cache(name, uris[name], "3Ki") for name in ("a", "b")]
    texts = [RUNTIME, group(limit="7Ki"), *old]
    async with running(tmp_path, *texts, user(uris["a"])) as plane:
        await eventually(lambda: plane.ready() and state(plane, "b") == "Downloaded")
        plane.apply(*texts, user(uris["a"]), user(uris["c"], "new"), cache("c", uris["c"], "3Ki"))
        await eventually(lambda: plane.ready("new") and state(plane, "c") == "Downloaded")
        await eventually(lambda: state(plane, "b") == "DownloadError")
        assert why(plane, "b").endswith("it needs 3 KiB, 1 KiB free of 7 KiB; in use: a, c")
        assert state(plane, "a") == "Downloaded"
        assert len(models(tmp_path)) == 2
        assert "ModelEvicted" in events(plane, "b")


async def test_a_prefetch_that_cannot_fit_says_so_and_comes_when_there_is_room(
    site: Site, tmp_path: Path
) -> None:
    uris = {name: put(site, name, 4 * KIB) for name in ("a", "b")}
    texts = [RUNTIME, group(limit="6Ki"), *(cache(n, uri, "4Ki") for n, uri in uris.items())]
    async with running(tmp_path, *texts, user(uris["a"])) as plane:
        await eventually(lambda: plane.ready() and state(plane, "b") == "DownloadError")
        assert why(plane, "b") == "CacheFull: it needs 4 KiB, 2 KiB free of 6 KiB; in use: a"
        assert downloads(site, "b") == 0
        assert node(plane)["status"]["modelStatus"]["b"] == "ModelDownloadError"
        assert "ModelCacheFull" in events(plane, "b")
        plane.apply(*texts, user(uris["b"], "other"))
        await eventually(lambda: plane.ready("other"))
        await eventually(lambda: state(plane, "b") == "Downloaded")
        assert "in use: b" in why(plane, "a")


async def test_a_service_whose_model_finds_no_room_says_so(site: Site, tmp_path: Path) -> None:
    uris = {name: put(site, name, 4 * KIB) for name in ("a", "b")}
    texts = [RUNTIME, group(limit="6Ki"), *(cache(n, uri, "4Ki") for n, uri in uris.items())]
    async with running(tmp_path, *texts, user(uris["a"], "one")) as plane:
        await eventually(lambda: plane.ready("one"))
        plane.apply(*texts, user(uris["a"], "one"), user(uris["b"], "two"))
        failure = await eventually(lambda: failure_of(plane, "two"))
        assert failure == "model cache b: it needs 4 KiB, 2 KiB free of 6 KiB; in use: a"
        plane.delete("one")
        plane.apply(*texts, user(uris["b"], "two"))
        await eventually(lambda: plane.ready("two"))


async def test_one_larger_than_it_was_said_goes_and_does_not_come_again(
    site: Site, tmp_path: Path
) -> None:
    uri = put(site, "m", 9 * KIB)
    async with running(tmp_path, group(limit="8Ki"), cache("iris", uri, "1Ki")) as plane:
        await eventually(lambda: why(plane, "iris").startswith("CacheFull"))
        assert why(plane, "iris") == "CacheFull: it needs 9 KiB, 8 KiB free of 8 KiB"
        assert models(tmp_path) == []
        assert downloads(site, "m") == 1
    async with running(tmp_path, group(limit="8Ki"), cache("iris", uri, "1Ki")) as plane:
        await plane.plane.settled()
        await eventually(lambda: why(plane, "iris").startswith("CacheFull"))
        assert downloads(site, "m") == 1


async def test_a_download_that_fails_says_why_and_is_tried_again(
    site: Site, tmp_path: Path
) -> None:
    uri = site.url("/m")
    async with running(tmp_path, group(), cache("iris", uri)) as plane:
        await eventually(lambda: state(plane, "iris") == "DownloadError")
        assert why(plane, "iris").startswith("DownloadFailed: ")
        assert found(plane, "iris")["status"]["copies"]["failed"] == 1
        put(site, "m")
        await eventually(lambda: state(plane, "iris") == "Downloaded")


async def test_a_group_that_is_not_there_or_not_here(site: Site, tmp_path: Path) -> None:
    term = "{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [elsewhere]}]}"
    elsewhere = f"{{nodeAffinity: {{required: {{nodeSelectorTerms: [{term}]}}}}}}"
    texts = [
        group("far", affinity=elsewhere),
        group("near", affinity=elsewhere.replace("elsewhere", this_node())),
        cache("lost", put(site, "lost"), groups="[nowhere]"),
        cache("far", put(site, "far"), groups="[far]"),
        cache("near", put(site, "near"), groups="[far, near]"),
    ]
    async with running(tmp_path, *texts) as plane:
        await eventually(lambda: state(plane, "near") == "Downloaded")
        assert (
            why(plane, "lost") == "InvalidCache: there is no LocalModelNodeGroup nowhere; add one"
        )
        assert state(plane, "lost") == "DownloadError"
        assert found(plane, "far")["status"]["nodeStatus"] == {}
        assert why(plane, "far").startswith("OtherNodes: ")
        assert room(plane, "far") == {}
        assert downloads(site, "far") == 0
        plane.apply(*texts, group("nowhere"))
        await eventually(lambda: state(plane, "lost") == "Downloaded")


async def test_a_model_of_this_machine_is_used_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    texts = [group(), cache("here", f"file://{tmp_path}/model"), cache("gone", "/not/there")]
    async with running(tmp_path / "home", *texts) as plane:
        await eventually(lambda: state(plane, "here") == "Downloaded")
        assert state(plane, "gone") == "DownloadError"
        assert "nothing at /not/there" in why(plane, "gone")
        assert room(plane)["used"] == "0"


async def test_a_deleted_cache_takes_its_model_along(site: Site, tmp_path: Path) -> None:
    uris = {name: put(site, name) for name in ("a", "b")}
    texts = [group(), *(cache(name, uri) for name, uri in uris.items())]
    async with running(tmp_path, *texts) as plane:
        await eventually(lambda: len(models(tmp_path)) == 2)
        await eventually(lambda: state(plane, "a") == "Downloaded")
        delete(plane, "a")
        await eventually(lambda: not found(plane, "a"))
        assert len(models(tmp_path)) == 1
        await eventually(lambda: [*node(plane)["status"]["modelStatus"]] == ["b"])
        plane.apply(group())
        await eventually(lambda: not found(plane, "b"))
        assert models(tmp_path) == []


async def test_a_model_that_another_cache_keeps_stays(site: Site, tmp_path: Path) -> None:
    uri = put(site, "m")
    texts = [group(), cache("iris", uri), cache("iris", uri, namespace="default")]
    async with running(tmp_path, *texts) as plane:
        await eventually(lambda: state(plane, "iris") == "Downloaded")
        delete(plane, "iris")
        await eventually(lambda: not found(plane, "iris"))
        assert len(models(tmp_path)) == 1
        assert downloads(site, "m") == 1


async def test_cache_and_service_deleted_at_once_go_in_order(site: Site, tmp_path: Path) -> None:
    uri = put(site, "m")
    async with running(tmp_path, RUNTIME, group(), cache("iris", uri), user(uri)) as plane:
        await eventually(plane.ready)
        plane.delete()
        delete(plane, "iris")
        await eventually(lambda: not found(plane, "iris"))
        assert plane.live() is None
        assert models(tmp_path) == []


async def test_a_download_is_stopped_with_its_cache(site: Site, tmp_path: Path) -> None:
    uri = put(site, "m", 200_000)
    site.files["/m"].wait = asyncio.Event()
    async with running(tmp_path, group(), cache("iris", uri)) as plane:
        await eventually(lambda: state(plane, "iris") == "Downloading")
        delete(plane, "iris")
        await eventually(lambda: not found(plane, "iris"))
        assert not list((tmp_path / "models").glob("*.partial"))


async def test_what_no_cache_keeps_goes_above_the_limit_only(site: Site, tmp_path: Path) -> None:
    uris = {name: put(site, name, 4 * KIB) for name in ("a", "b")}
    async with running(tmp_path, RUNTIME, user(uris["a"])) as plane:
        await eventually(plane.ready)
        plane.apply(RUNTIME, user(uris["b"], "other"))
        await eventually(lambda: plane.ready("other") and plane.live() is None)
        assert len(models(tmp_path)) == 2
    async with running(tmp_path, RUNTIME, user(uris["b"], "other"), limit=6 * KIB) as plane:
        await eventually(lambda: plane.ready("other"))
        await eventually(lambda: len(models(tmp_path)) == 1)
        assert downloads(site, "b") == 1
