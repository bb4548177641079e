"""A process that fetched from a store ends as any other, however soon after."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SCRIPT = """
import asyncio, obstore
from controller.storage.credentials import Credentials
from controller.storage.locations import Bucket, Family
from controller.storage.settings import StorageSettings
from controller.storage.stores import open_store

async def main():
    for endpoint in ("http://127.0.0.1:1", "http://nobody.invalid"):
        credentials = Credentials({"AWS_ENDPOINT_URL": endpoint})
        bucket = Bucket(Family.S3, "bucket", "")
        store, _ = open_store(bucket, credentials, StorageSettings())
        try:
            await obstore.head_async(store, "m")
        except obstore.exceptions.BaseError:
            pass

asyncio.run(main())
"""


@pytest.mark.slow
def test_it_is_not_aborted_at_its_end() -> None:
    """Without the pause at exit about every second run is."""
    statuses = [
        subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, check=False).returncode
        for _ in range(8)
    ]
    assert statuses == [0] * 8
