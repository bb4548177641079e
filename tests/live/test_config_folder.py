"""A folder of manifests as clusters mount it, edited as people and kubelets do: what answers after
each edit.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually_awaited
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import reply


def swap(folder: Path, version: str, **files: str) -> None:
    """As kubelet renews a mounted ConfigMap: a new folder, then one rename of the link to it."""
    (folder / version).mkdir()
    for name, text in files.items():
        (folder / version / f"{name}.yaml").write_text(text)
    beside = folder / "..data_tmp"
    beside.symlink_to(version)
    beside.rename(folder / "..data")
    for name in files:
        link = folder / f"{name}.yaml"
        if not link.is_symlink():
            link.symlink_to(f"..data/{name}.yaml")


def answering(predictor: Predictor, name: str, body: bytes) -> str:
    predictor.on(f"/{body.decode()}", reply(body))
    return graph(name, "Sequence", {"serviceUrl": predictor.url(f"/{body.decode()}")})


class Folder:
    """What a caller and an operator see of the graphs."""

    def __init__(self, router: Router, client: Client) -> None:
        self.router = router
        self._client = client

    async def ask(self, name: str) -> bytes | int:
        """The body of the answer, or else its status."""
        response = await self._client.ask(request(path(name)))
        return response.body if response.status == 200 else response.status

    async def answers(self, name: str, expected: bytes | int) -> None:
        async def answered() -> bool:
            return await self.ask(name) == expected

        await eventually_awaited(answered, f"{name} answers {expected!r}")

    async def states(self) -> dict[str, str]:
        graphs = json.loads(await self.router.admin("/graphs"))["graphs"]
        return {graph["name"]: graph["state"] for graph in graphs}

    async def state_of(self, name: str, state: str) -> None:
        async def reached() -> bool:
            return (await self.states()).get(name) == state

        await eventually_awaited(reached, f"{name} is {state}")


@asynccontextmanager
async def served(serve: Serve, folder: Path) -> AsyncIterator[Folder]:
    """The folder beside one graph that nobody edits; one worker, so that one client sees all."""
    calm = graph("calm", "Sequence", {"serviceUrl": "http://127.0.0.1:9"})
    async with (
        serve(calm, str(folder), "--workers", "1") as router,
        Client.to(router.port) as client,
    ):
        yield Folder(router, client)
        assert "Traceback" not in router.text()


async def test_a_swapped_config_map_is_served(
    predictor: Predictor, serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    swap(folder, "..1", a=answering(predictor, "a", b"1"))
    async with served(serve, folder) as graphs:
        assert await graphs.ask("a") == b"1"
        swap(folder, "..2", a=answering(predictor, "a", b"2"), b=answering(predictor, "b", b"3"))
        await graphs.answers("a", b"2")
        await graphs.answers("b", b"3")
        assert await graphs.states() == dict.fromkeys(("a", "b", "calm"), "serving")


async def test_what_is_empty_or_half_written_keeps_the_old_and_what_is_removed_is_gone(
    predictor: Predictor, serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "edited"
    folder.mkdir()
    first, second = answering(predictor, "a", b"1"), answering(predictor, "b", b"2")
    file = folder / "both.yaml"
    file.write_text(first + second)
    async with served(serve, folder) as graphs:
        for text in ("", (first + second)[: len(first) + 20], "\0", "- 1\n- ["):
            file.write_text(text)
            await graphs.state_of("b", "stale")
            assert (await graphs.ask("a"), await graphs.ask("b")) == (b"1", b"2")
            file.write_text(first + second)
            await graphs.state_of("b", "serving")
        file.write_text(first)
        await graphs.answers("b", 404)
        assert await graphs.ask("a") == b"1"
        file.unlink()
        await graphs.answers("a", 404)
        assert await graphs.states() == {"calm": "serving"}


async def test_one_bad_file_among_good_ones_holds_up_only_its_own_graph(
    predictor: Predictor, serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "edited"
    folder.mkdir()
    (folder / "a.yaml").write_text(answering(predictor, "a", b"1"))
    (folder / "b.yaml").write_text(answering(predictor, "b", b"2"))
    async with served(serve, folder) as graphs:
        (folder / "b.yaml").write_text("kind: [")
        await graphs.state_of("b", "stale")
        (folder / "a.yaml").write_text(answering(predictor, "a", b"3"))
        (folder / "c.yaml").write_text(answering(predictor, "c", b"4"))
        await graphs.answers("a", b"3")
        await graphs.answers("c", b"4")
        assert await graphs.ask("b") == b"2"
        metrics = await graphs.router.metrics()
        assert metrics.total("graphway_graph_up_to_date", graph="test/b") == 0
        assert metrics.total("graphway_graph_up_to_date", graph="test/a") == 1
        assert metrics.total("graphway_last_reload_successful") == 0
