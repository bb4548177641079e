"""s3:// against a real S3 server."""

from pathlib import Path

from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched
from controller.storage.request import Request
from tests.controller.storage.conftest import Bucket, tree


async def test_what_lies_below_the_prefix_comes_with_its_names(
    bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    bucket.put("models/iris/model.joblib", b"x" * 350_000)
    bucket.put("models/iris/extra dir/50%.txt", b"half")
    bucket.put("models/iris/empty", b"")
    bucket.put("models/iris-2/model.joblib", b"not this one")
    target = tmp_path / "iris"
    uri = f"s3://{bucket.name}/models/iris"
    found = await fetcher.fetch(Request(uri, target, credentials=bucket.credentials))
    assert isinstance(found, Fetched), found
    assert tree(target) == {
        "model.joblib": b"x" * 350_000,
        "extra dir/50%.txt": b"half",
        "empty": b"",
    }
    assert found.size_bytes == 350_004
