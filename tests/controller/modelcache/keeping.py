"""A control plane in a process of its own: `python keeping.py HOME LIMIT [NAME=URI...]`, each a
cache; prints when every one of them says something final.
"""

import asyncio
import sys
from pathlib import Path

from tests.controller.modelcache.kit import cache, group, state
from tests.controller.running import running

FINAL = ("Downloaded", "DownloadPending", "DownloadError")


async def main(home: Path, limit: str, *caches: str) -> None:
    uris = dict(each.split("=", 1) for each in caches)
    texts = [group(limit=limit), *(cache(name, uri, "400") for name, uri in uris.items())]
    async with running(home, *texts) as plane:
        while True:
            plane.apply(*texts)  # one that was on its way out is said anew
            await plane.settled_caches()
            told = {name: state(plane, name) for name in uris}
            if all(each in FINAL for each in told.values()):
                print(*(f"{name}={each}" for name, each in told.items()), flush=True)
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
