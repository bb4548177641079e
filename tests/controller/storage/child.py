"""A process that fetches: `python child.py URI TARGET [LARGEST_FILE]`; prints what came of it."""

import asyncio
import os
import resource
import sys
from pathlib import Path

from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched
from controller.storage.request import Request
from controller.storage.settings import StorageSettings


async def main(uri: str, target: Path) -> None:
    settings = StorageSettings(part_size=100_000, backoff_seconds=0.01, parallel=2)  # type: ignore[arg-type]
    async with Fetcher(settings, uri_map={}, environ=os.environ) as fetcher:
        found = await fetcher.fetch(Request(uri, target))
    print("fetched" if isinstance(found, Fetched) else f"{found.reason}: {found.message}")


if __name__ == "__main__":
    if len(sys.argv) > 3:
        largest = int(sys.argv[3])
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
