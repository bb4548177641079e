"""The Dockerfile carried out and its image started, without a container engine (see `chroot.py`).

Needs root, debootstrap and package mirrors, and takes minutes; so it runs only when asked to:

    GRAPHWAY_TEST_IMAGE=debootstrap pytest tests/deploy/test_image.py
    GRAPHWAY_TEST_IMAGE=DIR ...    # with a root that debootstrap made before (`chroot.PACKAGES`)
"""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import chroot
from tests.deploy.serving import READYZ, Serving
from tests.kit.client import request
from tests.kit.eventually import eventually_awaited
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import reply

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("GRAPHWAY_TEST_IMAGE" not in os.environ, reason="GRAPHWAY_TEST_IMAGE asks"),
]
FREE_PORTS = {"GRAPHWAY_PORT": "0", "GRAPHWAY_ADMIN_PORT": "0"}  # the network is this machine's
GRAPHS = "/etc/graphway/graphs"


def start(
    image: chroot.Image, log: Path, *arguments: str, **how: Any
) -> contextlib.AbstractAsyncContextManager[Serving]:
    with log.open("wb") as output:
        process = image.start(*arguments, output=output, **how)
    return Serving.until_killed(process, log)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[chroot.Image]:
    made_before = os.environ["GRAPHWAY_TEST_IMAGE"]
    base = None if made_before == "debootstrap" else Path(made_before)
    yield chroot.build(tmp_path, base)
    shutil.rmtree(tmp_path)  # pytest would keep three of these, a gigabyte each


async def test_the_image_serves_in_a_pod_as_kserve_makes_it(
    image: chroot.Image, predictor: Predictor, tmp_path: Path
) -> None:
    """One test, because the image takes minutes and workers of pytest share no fixture."""
    holds_no_tools(image)
    await is_a_drop_in(image, predictor, tmp_path / "drop-in.log")
    await reloads_a_config_map(image, predictor, tmp_path)


def holds_no_tools(image: chroot.Image) -> None:
    ours = image.root / "opt" / "graphway"
    assert not list(ours.rglob("pip")) + list(ours.rglob("hatchling"))
    sources = list(ours.rglob("*.py"))
    compiled = {file.name.partition(".")[0] for file in ours.rglob("*.pyc")}
    assert {file.stem for file in sources if file.parent.name != "bin"} <= compiled
    owners = {file.lstat().st_uid for file in ours.rglob("*")}
    assert owners == {0}
    assert not (image.root / "src").exists()


async def is_a_drop_in(image: chroot.Image, predictor: Predictor, log: Path) -> None:
    predictor.default = reply(b'{"predictions": [1]}')
    step = {"serviceName": "iris", "serviceUrl": predictor.url("/v1/models/iris:predict")}
    spec = {"nodes": {"root": {"routerType": "Sequence", "steps": [step]}}}
    env = {"PROPAGATE_HEADERS": "X-Team", "GRAPHWAY_DRAIN_SECONDS": "1", **FREE_PORTS}
    async with start(image, log, "--graph-json", json.dumps(spec), env=env) as router:
        ready = await router.ask(READYZ)
        assert (ready.status, ready.body) == (200, b"")
        answer = await router.ask(request("/", b'{"instances": [1]}', headers={"X-Team": "a"}))
        assert (answer.status, answer.body) == (200, b'{"predictions": [1]}')
        assert predictor.requests[-1].header(b"x-team") == b"a"
        parent, *workers = chroot.below(router.process.pid)
        assert workers
        for pid in (parent, *workers):
            has_no_privilege(pid, image.user)
            writes_nowhere(pid)
        os.kill(parent, signal.SIGTERM)
        await router.shuts_down()
        assert (await router.ask(request("/"))).status == 200
        assert await router.ended() == 0
        assert {parent, *workers}.isdisjoint(processes())


def processes() -> set[int]:
    return {int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()}


def has_no_privilege(pid: int, user: str) -> None:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    uid, gid = user.split(":")
    assert (set(status["Uid"]), set(status["Gid"])) == ({uid}, {gid})
    assert {int(status[name][0], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == ["1"]


def writes_nowhere(pid: int) -> None:
    """Every mount that the process sees is read-only, but /proc."""
    for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        _, _, _, _, target, options, *_ = line.split()
        assert "ro" in options.split(",") or target == "/proc", line


async def reloads_a_config_map(image: chroot.Image, predictor: Predictor, folder: Path) -> None:
    """A kubelet's swap of `..data` is seen through the mount."""
    predictor.on("/old", reply(b'"old"'))
    predictor.on("/new", reply(b'"new"'))
    mounted = folder / "config-map"
    mounted.mkdir()
    publish(mounted, "..1", graph("g", "Sequence", {"serviceUrl": predictor.url("/old")}))
    (mounted / "graphs.yaml").symlink_to("..data/graphs.yaml")
    async with start(
        image, folder / "reload.log", GRAPHS, env=FREE_PORTS, mounts={mounted: GRAPHS}
    ) as router:
        assert (await router.ask(request(path("g")))).body == b'"old"'
        publish(mounted, "..2", graph("g", "Sequence", {"serviceUrl": predictor.url("/new")}))

        async def answers_new() -> bool:
            return (await router.ask(request(path("g")))).body == b'"new"'

        await eventually_awaited(answers_new, "the new graph answers")


def publish(mounted: Path, version: str, manifest: str) -> None:
    (mounted / version).mkdir()
    (mounted / version / "graphs.yaml").write_text(manifest)
    new = mounted / "..data_tmp"
    new.symlink_to(version)
    new.replace(mounted / "..data")
