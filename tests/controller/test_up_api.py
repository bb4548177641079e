"""`graphway up` through its API and its files: objects come, change and go by either, and what is
served follows.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.controller.backend import SERVER, fake
from tests.controller.manifests import service
from tests.controller.test_up import GRAPH, PROJECT, Up, up, write
from tests.kit.eventually import eventually, eventually_awaited

PREDICTORS = "apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices"
GRAPHS = "apis/serving.kserve.io/v1alpha1/namespaces/default/inferencegraphs"
Json = dict[str, Any]


class Api:
    """The resources of a running `up`, found as the command line finds it."""

    def __init__(self, running: Up, session: aiohttp.ClientSession, home: Path) -> None:
        file = home / "running" / f"{running.process.pid}.json"
        self.url = json.loads(file.read_text())["url"]
        self._session = session

    async def call(
        self, method: str, path: str, body: object = None, patch: bool = False
    ) -> tuple[int, Json]:
        kind = "application/merge-patch+json" if patch else "application/json"
        data = None if body is None else json.dumps(body)
        async with self._session.request(
            method, f"{self.url}/{path}", data=data, headers={"Content-Type": kind}
        ) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Json:
        return (await self.call("GET", path))[1]

    async def create(self, path: str, text: str) -> None:
        manifest = yaml.safe_load(text)
        manifest["metadata"].pop("namespace", None)
        status, said = await self.call("POST", path, manifest)
        assert status == 201, said

    async def annotate(self, path: str, **annotations: str) -> None:
        status, said = await self.call(
            "PATCH",
            path,
            {
                "metadata": {
                    "annotations": {
                        f"serving.kserve.io/{key}": value for key, value in annotations.items()
                    }
                }
            },
            patch=True,
        )
        assert status == 200, said

    async def ready(self, path: str) -> bool:
        return await self.condition(path) == "True"

    async def condition(self, path: str, kind: str = "Ready") -> str:
        code, found = await self.call("GET", path)
        conditions = found.get("status", {}).get("conditions", ()) if code == 200 else ()
        return next((str(c["status"]) for c in conditions if c["type"] == kind), "")

    async def becomes(self, path: str, status: str, kind: str = "Ready") -> None:
        async def is_so() -> bool:
            return await self.condition(path, kind) == status

        await eventually_awaited(is_so, f"{path} {kind}={status}", deadline_s=30)


async def started(running: Up, session: aiohttp.ClientSession, folder: Path) -> Api:
    await eventually(lambda: running.url, deadline_s=30)
    return Api(running, session, folder / "home")


async def answer(session: aiohttp.ClientSession, url: str) -> int:
    async with session.post(url, json={"instances": [1]}) as found:
        await found.read()
        return found.status


async def test_what_the_api_is_told_runs_and_is_served_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with aiohttp.ClientSession() as session:
        async with up(tmp_path) as running:
            api = await started(running, session, tmp_path)
            assert await api.ready(f"{PREDICTORS}/iris")
            await api.becomes(f"{GRAPHS}/g", "True")
            await api.create(PREDICTORS, fake("other"))
            await api.create(
                GRAPHS,
                GRAPH.strip().removeprefix("---").replace(": g}", ": h}").replace("iris", "other"),
            )
            await api.becomes(f"{GRAPHS}/h", "True")
            url = (await api.get(f"{GRAPHS}/h"))["status"]["url"]
            assert url == running.url.removesuffix("g") + "h"
            assert await answer(session, url) == 200
            uid = (await api.get(f"{PREDICTORS}/other"))["metadata"]["uid"]
            running.process.send_signal(signal.SIGINT)
            async with asyncio.timeout(30):
                assert await running.process.wait() == 0
        async with up(tmp_path) as running:
            api = await started(running, session, tmp_path)
            assert (await api.get(f"{PREDICTORS}/other"))["metadata"]["uid"] == uid
            await api.becomes(f"{GRAPHS}/h", "True")
            assert await answer(session, running.url.removesuffix("g") + "h") == 200
            status, _ = await api.call("DELETE", f"{GRAPHS}/h")
            assert status == 200

            async def gone() -> bool:
                return await answer(session, running.url.removesuffix("g") + "h") == 404

            await eventually_awaited(gone)
            assert await answer(session, running.url) == 200


async def test_a_graph_of_a_file_may_be_changed_stopped_and_deleted_by_the_api(
    tmp_path: Path,
) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with aiohttp.ClientSession() as session, up(tmp_path) as running:
        api = await started(running, session, tmp_path)

        async def says(status: int) -> None:
            async def is_so() -> bool:
                return await answer(session, running.url) == status

            await eventually_awaited(is_so, f"answers {status}")

        steps = [{"serviceName": "iris", "condition": "never"}]
        nodes = {"root": {"routerType": "Sequence", "steps": steps}}
        await api.call("PATCH", f"{GRAPHS}/g", {"spec": {"nodes": nodes}}, patch=True)
        await says(404)  # as no request meets the condition
        await api.becomes(f"{GRAPHS}/g", "True")
        await api.annotate(f"{GRAPHS}/g", stop="true")
        await api.becomes(f"{GRAPHS}/g", "False")
        assert await api.condition(f"{GRAPHS}/g", "Stopped") == "True"
        write(
            tmp_path,
            fake("iris")
            + "# edited"
            + GRAPH.replace("serviceName: iris", "serviceName: iris, name: a"),
        )
        await api.annotate(f"{GRAPHS}/g", stop="false")
        await says(200)  # the file has the last word on what it says
        await api.becomes(f"{GRAPHS}/g", "True")
        await api.call("DELETE", f"{GRAPHS}/g")
        await says(404)


async def test_edited_services_are_applied_and_bad_edits_keep_what_runs(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with aiohttp.ClientSession() as session, up(tmp_path) as running:
        api = await started(running, session, tmp_path)
        write(tmp_path, fake("iris") + GRAPH, fake("more"))
        await api.becomes(f"{PREDICTORS}/more", "True")
        write(tmp_path, fake("iris") + GRAPH, service("sklern: {}", name="more"))
        await eventually(lambda: any("did you mean `sklearn`?" in line for line in running.lines))
        assert await api.ready(f"{PREDICTORS}/more")
        write(tmp_path, fake("iris", "child") + GRAPH)

        async def gone() -> bool:
            return (await api.call("GET", f"{PREDICTORS}/more"))[0] == 404

        await eventually_awaited(gone, deadline_s=30)
        await eventually(lambda: any("iris-00002 | child" in line for line in running.lines))
        await api.becomes(f"{PREDICTORS}/iris", "True")
        await api.becomes(f"{GRAPHS}/g", "True")
        assert await running.ask()


async def test_a_graph_stays_that_of_its_file_while_the_file_is_broken(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with aiohttp.ClientSession() as session, up(tmp_path) as running:
        api = await started(running, session, tmp_path)
        (tmp_path / "all.yaml").write_text(fake("iris") + GRAPH + "\njunk: [\n")
        await eventually(lambda: any("bad edit" in line for line in running.lines))
        other = GRAPH.strip().removeprefix("---").replace(": g}", ": h}")
        await api.create(GRAPHS, other)  # the router has loaded once more when this one is served
        await api.becomes(f"{GRAPHS}/h", "True")
        assert (await api.get("graphs/default/h"))["file"] == "api:default/h"
        assert (await api.get("graphs/default/g"))["file"].endswith("all.yaml")
        assert await running.ask()


async def test_a_stopped_service_is_503_to_its_graph_until_it_is_resumed(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with aiohttp.ClientSession() as session, up(tmp_path) as running:
        api = await started(running, session, tmp_path)
        await api.annotate(f"{PREDICTORS}/iris", stop="true")
        await api.becomes(f"{PREDICTORS}/iris", "True", "Stopped")
        await api.becomes(f"{GRAPHS}/g", "False")
        assert await answer(session, running.url) == 503
        await api.annotate(f"{PREDICTORS}/iris", stop="false")
        await api.becomes(f"{GRAPHS}/g", "True")
        assert await answer(session, running.url) == 200


async def graphway(folder: Path, *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from cli.main import main; main()",
        *words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "GRAPHWAY_HOME": str(folder / "home")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_the_command_line_finds_it_and_shows_what_runs(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with up(tmp_path) as running:
        await eventually(lambda: running.url, deadline_s=30)
        code, said = await graphway(tmp_path, "get", "isvc")
        assert (code, said.split()[:3]) == (0, ["NAME", "URL", "READY"])
        assert "True" in said
        code, said = await graphway(tmp_path, "logs", "iris")
        assert code == 0
        assert said.startswith("listening as")
        code, said = await graphway(tmp_path, "describe", "isvc", "iris")
        assert "InferenceServiceReady" in said
        code, said = await graphway(tmp_path, "get", "pods")
        assert "iris-predictor-00001-0" in said
        running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await running.process.wait()
    assert list((tmp_path / "home" / "running").iterdir()) == []


async def test_beyond_loopback_the_api_wants_its_token(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    secret = {"GRAPHWAY_ADMIN_TOKEN": "open-sesame"}
    wide = ("--admin-host", "0.0.0.0")
    async with aiohttp.ClientSession() as session, up(tmp_path, *wide, **secret) as running:
        api = await started(running, session, tmp_path)
        status, said = await api.call("GET", PREDICTORS)
        assert (status, said["reason"]) == (401, "Unauthorized")
        code, told = await graphway(tmp_path, "get", "isvc")  # it knows the file
        assert code == 0
        assert "iris" in told


async def test_the_same_state_is_not_used_twice_at_once(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with up(tmp_path) as first:
        await eventually(lambda: first.url, deadline_s=30)
        async with up(tmp_path) as second:
            async with asyncio.timeout(30):
                assert await second.process.wait() == 1
            await eventually(lambda: second.lines)
            assert "another Graphway uses this" in second.lines[0]
        async with up(tmp_path, "--project", "another") as third:
            await eventually(lambda: third.url, deadline_s=30)
            # Services of the same names: each has its own log and working directory.
            for what in ("logs", "work"):
                found = (tmp_path / "home" / "projects").glob(f"*/{what}/default/iris/*")
                assert len({each.relative_to(tmp_path).parts[2] for each in found}) == 2


DRY = {
    "what would run": (
        [fake("iris") + GRAPH],
        0,
        [
            "InferenceService default/iris: POST /v1/models/iris:predict",
            "predictor",
            SERVER.name,
            "InferenceGraph default/g: /graphs/default/g",
            "calls iris",
        ],
    ),
    "problems": (
        [fake("iris"), service("sklearn: {storageUri: ./nothing}", name="b")],
        1,
        ["error missing-model", "InferenceService default/iris"],
    ),
}


@pytest.mark.parametrize(("texts", "code", "words"), DRY.values(), ids=DRY)
async def test_a_dry_run_tells_without_starting_anything(
    tmp_path: Path, texts: list[str], code: int, words: list[str]
) -> None:
    write(tmp_path, *texts)
    ended, said = await graphway(tmp_path, "up", "--dry-run", "all.yaml")
    assert ended == code
    for word in words:
        assert word in said
    assert not (tmp_path / "home").exists()
