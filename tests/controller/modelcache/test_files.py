"""Caches in the files of `graphway up`: one that is in use stays when its document goes."""

from pathlib import Path

import aiohttp
import pytest

from tests.controller.modelcache.kit import RUNTIME, cache, group, user
from tests.controller.storage.site import Site
from tests.controller.test_up import up, write
from tests.controller.test_up_api import Api
from tests.kit.eventually import eventually, eventually_awaited

CACHES = "apis/serving.kserve.io/v1alpha1/localmodelcaches"


@pytest.mark.slow
async def test_a_cache_that_is_used_stays_though_its_document_goes(tmp_path: Path) -> None:
    async with Site() as site:
        site.put("/m", bytes(1000))
        uri = site.url("/m")
        rest = RUNTIME, group()
        write(tmp_path, *rest, cache("iris", uri), user(uri))
        async with up(tmp_path) as running, aiohttp.ClientSession() as session:
            home = tmp_path / "home"
            file = home / "running" / f"{running.process.pid}.json"
            await eventually(file.exists, deadline_s=30)
            api = Api(running, session, home)

            async def status() -> int:
                return (await api.call("GET", f"{CACHES}/iris"))[0]

            async def bound() -> bool:
                found = await api.get(f"{CACHES}/iris")
                return bool((found.get("status") or {}).get("inferenceServices"))

            async def gone() -> bool:
                return await status() == 404

            await eventually_awaited(bound, deadline_s=30)
            code, said = await api.call("DELETE", f"{CACHES}/iris")
            assert (code, "InferenceService default/iris uses it" in said["message"]) == (403, True)

            write(tmp_path, *rest, user(uri))
            stays = "LocalModelCache iris is in no file any more, and stays while it is used by"
            await eventually(
                lambda: [line for line in running.lines if f"{stays} default/iris" in line],
                deadline_s=30,
            )
            assert await status() == 200
            write(tmp_path, *rest)
            await eventually_awaited(gone, deadline_s=30)
