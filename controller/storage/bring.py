"""One request carried out: who brings it, in which steps, and what is tried again.

A local path is only looked for. Everything else is brought into the target's partial folder, by a
store's source or by the command of a StorageContainer, and published when it is whole. What failed
for a passing reason is kept there for the next try; anything else is removed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

from controller.storage.archive import is_archive
from controller.storage.command import run_command
from controller.storage.containers import Command
from controller.storage.download import Download, patiently
from controller.storage.hub import HubSource, hub_headers
from controller.storage.journal import Journal
from controller.storage.locations import (
    Blobs,
    Bucket,
    HubModel,
    LocalPath,
    Remote,
    Volume,
    WebFile,
    locate,
    redacted,
)
from controller.storage.names import clash
from controller.storage.objects import ObjectSource
from controller.storage.outcome import (
    TRANSIENT,
    Fault,
    Fetched,
    FetchFailed,
    Progress,
    Reason,
    disk_fault,
)
from controller.storage.request import Request, identity
from controller.storage.settings import StorageSettings
from controller.storage.source import Item, Source, digest
from controller.storage.stores import open_store
from controller.storage.target import Target, sync_files
from controller.storage.threads import in_thread, stoppable_in_thread
from controller.storage.unpack import unpack
from controller.storage.uris import mapped_path
from controller.storage.web import Web, WebSource, headers_from, open_session

MOST_RESTARTS = 3  # for a model that changes meanwhile: by then somebody is still writing it

# A folder that is to be published, and what stands for its content at the source.
Brought = tuple[Path, str | None]


async def bring(
    request: Request,
    settings: StorageSettings,
    uri_map: Mapping[str, Path],
    environ: Mapping[str, str],
    progress: Progress,
) -> Fetched | FetchFailed:
    match place(request, settings, uri_map):
        case FetchFailed() as failed:
            return failed
        case Path() as path:
            return await _local(path, request.uri)
    if command := request.command:
        return await _published(request, partial(_by_command, request, command, settings, environ))
    location = cast(Remote, locate(request.uri, request.folder))
    return await _published(request, partial(_from_store, request, location, settings, progress))


def place(
    request: Request, settings: StorageSettings, uri_map: Mapping[str, Path]
) -> Path | FetchFailed | None:
    """Where it is used, if it is used where it lies; None: it is downloaded."""
    if mapped := mapped_path(request.uri, uri_map):
        return mapped
    if request.command is not None:
        return None
    match locate(request.uri, request.folder):
        case FetchFailed() as failed:
            return failed
        case LocalPath(path):
            return path
        case Volume(claim, inside):
            if (folder := settings.volumes.get(claim)) is None:
                message = f"no folder stands for the volume {claim}; name one, as in "
                setting = f"GRAPHWAY_STORAGE_VOLUMES={claim}=/srv/{claim}"
                return FetchFailed(Reason.UNSUPPORTED, message + setting)
            return folder / inside
    return None


async def _local(path: Path, uri: str) -> Fetched | FetchFailed:
    if await in_thread(path.exists):
        return Fetched(path, None, None)
    named = "" if str(path) == uri else f" ({redacted(uri)})"
    return FetchFailed(Reason.NOT_FOUND, f"there is nothing at {path}{named}; put the model there")


async def _published(
    request: Request, brought: Callable[[Target, int], Awaitable[Brought]]
) -> Fetched | FetchFailed:
    target, wish = Target(request.target), identity(request)
    try:
        async with target.locked() as lock:
            restarts = 0
            while True:
                if found := await in_thread(target.existing, wish):
                    return found
                try:
                    await in_thread(target.begin)
                    tree, content = await brought(target, lock)
                    return await in_thread(target.publish, tree, wish, content)
                except Fault as fault:
                    if fault.reason not in TRANSIENT:
                        await in_thread(target.discard)
                    restarts += 1
                    changed = fault.reason in (Reason.CHANGED, Reason.CORRUPT)
                    if not changed or restarts > MOST_RESTARTS:
                        raise
    except Fault as fault:
        return fault.failed


async def _from_store(
    request: Request,
    location: Remote,
    settings: StorageSettings,
    progress: Progress,
    target: Target,
    lock: int,
) -> Brought:
    async with _source(request, location, settings) as source:
        listed = await patiently(settings, source.items)
        items = [item for item in listed if request.patterns.wants(item.name)]
        _check_names(items, request)
        journal = Journal(target.journal, target.tree)
        content = digest(items)
        try:
            await in_thread(journal.open, content)
        except OSError as error:
            raise disk_fault(error, target.partial) from error
        download = Download(source, items, target.tree, journal, settings, progress)
        await in_thread(target.check_room, download.missing_bytes)
        await download.run()
    if len(items) == 1 and is_archive(items[0].name):
        path = target.tree / items[0].name
        await stoppable_in_thread(partial(unpack, path, target.unpacked, settings))
        return target.unpacked, content
    return target.tree, content


def _check_names(items: list[Item], request: Request) -> None:
    shown = redacted(request.uri)
    if not items:
        message = f"the patterns leave nothing of {shown}; mend STORAGE_ALLOW_PATTERNS or "
        raise Fault(Reason.NOT_FOUND, message + "STORAGE_IGNORE_PATTERNS")
    if twice := clash(item.name for item in items):
        message = f"{shown} has {twice} twice, or as a file and as a folder; rename one"
        raise Fault(Reason.BAD_NAME, message)


@asynccontextmanager
async def _source(
    request: Request, location: Remote, settings: StorageSettings
) -> AsyncIterator[Source]:
    credentials = request.credentials
    match location:
        case Bucket(prefix=prefix) | Blobs(prefix=prefix):
            # obstore loads a library and authorities of TLS
            store, signed = await in_thread(open_store, location, credentials, settings)
            yield ObjectSource(store, prefix, redacted(request.uri), signed)
        case WebFile():
            async with open_session(settings, credentials.ca_pem) as session:
                yield WebSource(Web(session, headers_from(credentials)), location)
        case HubModel():
            async with open_session(settings, credentials.ca_pem) as session:
                web = Web(session, hub_headers(credentials))
                yield HubSource(web, location, credentials, settings)


async def _by_command(
    request: Request,
    command: Command,
    settings: StorageSettings,
    environ: Mapping[str, str],
    target: Target,
    lock: int,
) -> Brought:
    await in_thread(target.discard)  # a command cannot be asked to resume
    await in_thread(target.begin)
    await run_command(
        command,
        request.uri,
        target.tree,
        environ=environ,
        credentials=request.credentials,
        key_file=target.partial / "google.json",
        lock=lock,
        settings=settings,
    )
    if not await in_thread(lambda: any(target.tree.iterdir())):
        message = f"{command.argv[0]} ended well, and left nothing of {redacted(request.uri)}"
        raise Fault(Reason.COMMAND_FAILED, message)
    try:
        await in_thread(sync_files, target.tree)  # a command rarely does, and it is published next
    except OSError as error:
        raise disk_fault(error, target.tree) from error
    return target.tree, None
