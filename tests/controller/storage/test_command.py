"""A StorageContainer whose command fetches, as a process of this machine."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from controller.storage.containers import Command
from controller.storage.credentials import NONE_GIVEN, Credentials
from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request, folder_name
from tests.controller.storage.conftest import MakeFetcher, names, tree
from tests.kit.eventually import eventually


def runs(script: str, **env: str) -> Command:
    return Command((sys.executable, "-c", script), env)


async def test_it_gets_uri_and_folder_and_what_it_left_is_published(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    script = "import sys, pathlib; pathlib.Path(sys.argv[2], 'm').write_text(sys.argv[1])"
    request = Request("ours://registry/iris?v=1", tmp_path / "m", command=runs(script))
    found = await fetcher.fetch(request)
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"m": b"ours://registry/iris?v=1"}


async def test_its_environment_is_its_own_and_its_credentials(
    make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    script = (
        "import sys, os, json, pathlib\n"
        "seen = dict(os.environ); path = pathlib.Path(seen['GOOGLE_APPLICATION_CREDENTIALS'])\n"
        "seen['key'] = path.read_text(); seen['mode'] = oct(path.stat().st_mode & 0o777)\n"
        "pathlib.Path(sys.argv[2], 'seen').write_text(json.dumps(seen))"
    )
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "of-the-shell", "GRAPHWAY_ADMIN_TOKEN": "t"}
    request = Request(
        "ours://x",
        tmp_path / "m",
        command=runs(script, REGISTRY="https://registry.test"),
        credentials=Credentials({"HF_TOKEN": "hf_given"}, google_key='{"type": "x"}'),
    )
    async with make_fetcher(environ=environ) as fetcher:
        found = await fetcher.fetch(request)
    assert isinstance(found, Fetched)
    seen = json.loads(tree(found.path)["seen"])
    assert seen["REGISTRY"] == "https://registry.test"
    assert seen["HF_TOKEN"] == "hf_given"
    assert (seen["key"], seen["mode"]) == ('{"type": "x"}', "0o600")
    assert not seen.keys() & {"AWS_ACCESS_KEY_ID", "GRAPHWAY_ADMIN_TOKEN"}
    assert names(tmp_path) == ["m", "m.json", "m.lock"]


FAILURES = {
    "a status": ("import sys; print('no such model'); sys.exit(3)", "status 3: no such model"),
    "a signal": ("import os; os.kill(os.getpid(), 9)", "signal 9"),
    "nothing left": ("pass", "left nothing"),
    "secrets in its output": (
        "import sys, os; sys.exit('token ' + os.environ['HF_TOKEN'] + ' refused')",
        "token *** refused",
    ),
}


@pytest.mark.parametrize(("script", "words"), FAILURES.values(), ids=FAILURES)
async def test_failures(script: str, words: str, fetcher: Fetcher, tmp_path: Path) -> None:
    credentials = Credentials({"HF_TOKEN": "hf_s3cret"})
    request = Request("ours://x", tmp_path / "m", command=runs(script), credentials=credentials)
    found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.COMMAND_FAILED
    assert words in found.message
    assert "s3cret" not in found.message
    assert names(tmp_path) == ["m.lock"]


async def test_a_command_that_does_not_exist(fetcher: Fetcher, tmp_path: Path) -> None:
    command = Command(("no-such-command-here",))
    found = await fetcher.fetch(Request("ours://x", tmp_path / "m", command=command))
    assert isinstance(found, FetchFailed)
    assert "no-such-command-here" in found.message


HANGS = (
    "import os, sys, pathlib, time, subprocess\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "path = pathlib.Path(os.environ['PIDS'])\n"
    "path.with_suffix('.new').write_text(f'{os.getpid()} {child.pid}')\n"
    "path.with_suffix('.new').rename(path)\n"
    "time.sleep(600)"
)


async def test_cancelled_it_ends_with_all_that_it_started(fetcher: Fetcher, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    request = Request("ours://x", tmp_path / "m", command=runs(HANGS, PIDS=str(pids)))
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        fetch = tasks.create_task(fetcher.fetch(request))
        await eventually(lambda: "pids" in names(tmp_path) and tree(tmp_path)["pids"])
        fetch.cancel()
        await asyncio.wait((fetch,))
        for pid in map(int, tree(tmp_path)["pids"].split()):
            await eventually(lambda pid=pid: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_one_that_takes_too_long_is_ended(make_fetcher: MakeFetcher, tmp_path: Path) -> None:
    request = Request("ours://x", tmp_path / "m", command=runs("import time; time.sleep(600)"))
    async with make_fetcher(command_seconds=0.5) as fetcher:
        found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert "within 0.5 s" in found.message


async def test_one_that_ignores_sigterm_is_killed(
    make_fetcher: MakeFetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.storage.command.STOP_GRACE_S", 0.1)
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    request = Request("ours://x", tmp_path / "m", command=runs(script))
    async with asyncio.timeout(30), make_fetcher(command_seconds=1.0) as fetcher:
        found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert names(tmp_path) == ["m.lock"]


async def test_what_it_was_given_from_a_secret_is_not_told(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    script = "import sys, os; sys.exit(os.environ['REGISTRY'] + ' refuses ' + os.environ['KEY'])"
    env = {"REGISTRY": "registry.test", "KEY": "s3cret"}
    command = Command((sys.executable, "-c", script), env, frozenset({"KEY"}))
    found = await fetcher.fetch(Request("ours://x", tmp_path / "m", command=command))
    assert isinstance(found, FetchFailed)
    assert "registry.test refuses ***" in found.message


async def test_what_it_leaves_is_on_the_disk_before_it_is_published(
    fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def sync(descriptor: int) -> None:
        synced.append(os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), tmp_path))

    monkeypatch.setattr("controller.storage.target.sync_data", sync)
    script = (
        "import sys, pathlib; folder = pathlib.Path(sys.argv[2], 'v'); folder.mkdir()\n"
        "(folder / 'model').write_text('x'); (folder / 'link').symlink_to('/dev/zero')"
    )
    request = Request("ours://x", tmp_path / "m", command=runs(script))
    assert isinstance(await fetcher.fetch(request), Fetched)
    assert synced == ["m.partial/model/v/model"]


def test_another_environment_is_another_wish() -> None:
    """The same command against another registry brings another model."""
    staging, live = runs("fetch", REGISTRY="staging"), runs("fetch", REGISTRY="live")
    assert folder_name("ours://x", NONE_GIVEN, staging) != folder_name("ours://x", NONE_GIVEN, live)
    assert folder_name("ours://x", NONE_GIVEN, live) == folder_name(
        "ours://x", NONE_GIVEN, runs("fetch", REGISTRY="live")
    )
