"""What a storageUri names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.storage.locations import (
    Blobs,
    Bucket,
    Family,
    HubModel,
    LocalPath,
    Location,
    Volume,
    WebFile,
    locate,
    redacted,
)
from controller.storage.outcome import FetchFailed, Reason

HERE = Path("/manifests")
BLOBS = "https://acc.blob.core.windows.net/models"

PLACES: dict[str, tuple[str, Location]] = {
    "a path beside the manifest": ("./m", LocalPath(HERE / "m")),
    "an absolute path": ("/data/m", LocalPath(Path("/data/m"))),
    "a file": ("file:///my%20data/m", LocalPath(Path("/my data/m"))),
    "a file on this host": ("file://localhost/m", LocalPath(Path("/m"))),
    "a place in a volume": ("pvc://claim/a//b/", Volume("claim", "a/b")),
    "a whole volume": ("pvc://claim", Volume("claim", "")),
    "S3": ("s3://bucket/a/b", Bucket(Family.S3, "bucket", "a/b")),
    "a whole bucket": ("s3://bucket", Bucket(Family.S3, "bucket", "")),
    "a slash at the end stays": ("s3://bucket/a/", Bucket(Family.S3, "bucket", "a/")),
    "no query in S3": ("s3://bucket/a?b#c", Bucket(Family.S3, "bucket", "a?b#c")),
    "Google": ("gs://kfserving-examples/m", Bucket(Family.GOOGLE, "kfserving-examples", "m")),
    "a scheme in capitals": ("S3://bucket/a", Bucket(Family.S3, "bucket", "a")),
    "Azure": (f"{BLOBS}/a/b", Blobs("acc", "models", "a/b")),
    "Azure with a signature": (f"{BLOBS}/a?sig=x", Blobs("acc", "models", "a", "sig=x")),
    "a file on the web": ("https://h/a/m.bin", WebFile("https://h/a/m.bin", "m.bin")),
    "its name encoded": ("http://h:81/a%20b", WebFile("http://h:81/a%20b", "a b")),
    "signed": ("https://h/m.tgz?s=1", WebFile("https://h/m.tgz?s=1", "m.tgz")),
    "a hub": ("hf://owner/model", HubModel("owner/model", None)),
    "a revision": ("hf://o/m-1.5_x:refs/pr/1", HubModel("o/m-1.5_x", "refs/pr/1")),
}


@pytest.mark.parametrize(("uri", "place"), PLACES.values(), ids=PLACES)
def test_place(uri: str, place: Location) -> None:
    assert locate(uri, HERE) == place


REFUSED = {
    "nothing": ("", Reason.BAD_URI, "empty"),
    "two slashes only": ("file://data/m", Reason.BAD_URI, "three slashes"),
    "no claim": ("pvc:///m", Reason.BAD_URI, "pvc://CLAIM/PATH"),
    "out of a volume": ("pvc://claim/../x", Reason.BAD_URI, "pvc://CLAIM/PATH"),
    "no bucket": ("s3:///m", Reason.BAD_URI, "s3://BUCKET/PATH"),
    "no container": ("https://a.blob.core.windows.net", Reason.BAD_URI, "CONTAINER"),
    "no file": ("https://h/a/", Reason.BAD_URI, "HOST/PATH/FILE"),
    "no host": ("https:///a", Reason.BAD_URI, "HOST/PATH/FILE"),
    "a name that leaves": ("https://h/a/%2E%2E", Reason.BAD_URI, "no file"),
    "a port that is none": ("https://h:abc/a", Reason.BAD_URI, "no URL"),
    "half an address": ("https://[::1/a", Reason.BAD_URI, "no URL"),
    "no owner": ("hf://model", Reason.BAD_URI, "hf://OWNER/MODEL"),
    "no revision": ("hf://o/m:", Reason.BAD_URI, "REVISION"),
    "a path in a hub": ("hf://o/m/file", Reason.BAD_URI, "hf://OWNER/MODEL"),
    "dots for a model": ("hf://o/..", Reason.BAD_URI, "hf://OWNER/MODEL"),
    "hdfs": ("hdfs://h/m", Reason.UNSUPPORTED, "--uri-map"),
    "an image": ("oci://reg/m:1", Reason.UNSUPPORTED, "StorageContainer"),
    "a repository": ("https://h/m.git", Reason.UNSUPPORTED, "--uri-map"),
    "Azure's files": ("https://a.file.core.windows.net/m/x", Reason.UNSUPPORTED, "--uri-map"),
}


@pytest.mark.parametrize(("uri", "reason", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(uri: str, reason: Reason, words: str) -> None:
    found = locate(uri, HERE)
    assert isinstance(found, FetchFailed)
    assert found.reason is reason
    assert words in found.message


SHOWN = {
    "a signature": ("https://h/a/m?sig=secret", "https://h/a/m"),
    "one behind the host": ("https://h?sig=secret", "https://h"),
    "a password": ("https://me:secret@h/m", "https://h/m"),
    "a fragment": ("https://h/m#secret", "https://h/m"),
    "a question mark in S3": ("s3://b/what?", "s3://b/what?"),
    "a path": ("./a?b@c", "./a?b@c"),
}


@pytest.mark.parametrize(("uri", "shown"), SHOWN.values(), ids=SHOWN)
def test_no_secret_is_shown(uri: str, shown: str) -> None:
    assert redacted(uri) == shown


SCHEMES = ("s3", "gs", "hf", "pvc", "file", "http", "https", "HTTPS", "oci", "x")


@given(st.sampled_from(SCHEMES), st.text(alphabet="ab/.:@?#%[]-é \n\x00", max_size=30))
def test_any_text_is_a_place_or_refused_in_words(scheme: str, rest: str) -> None:
    found = locate(f"{scheme}://{rest}", HERE)
    assert not isinstance(found, FetchFailed) or found.message
    assert "secret" not in redacted(f"https://me:secret@{rest.replace('@', '')}/?secret")
