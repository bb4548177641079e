"""What each store is told: endpoint, region, and whose credentials."""

from typing import Literal

import pytest
from obstore.store import S3Store

from controller.storage.credentials import Credentials
from controller.storage.locations import Bucket, Family
from controller.storage.settings import StorageSettings
from controller.storage.stores import open_store

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret"}
ROLE = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}

S3: dict[str, tuple[dict[str, str], str, bool, bool]] = {
    "AWS": ({}, "https://s3.us-east-1.amazonaws.com", False, False),
    "a region": (
        {"AWS_DEFAULT_REGION": "eu-west-1"},
        "https://s3.eu-west-1.amazonaws.com",
        False,
        False,
    ),
    "keys": (KEYS, "https://s3.us-east-1.amazonaws.com", False, True),
    "keys, not wanted": (
        KEYS | {"awsAnonymousCredential": "true"},
        "https://s3.us-east-1.amazonaws.com",
        False,
        False,
    ),
    "a role": (ROLE, "https://s3.us-east-1.amazonaws.com", False, True),
    "an endpoint": ({"AWS_ENDPOINT_URL": "http://minio:9000/"}, "http://minio:9000", False, False),
    "an endpoint without a scheme": (
        {"S3_ENDPOINT": "minio:9000", "S3_USE_HTTPS": "0"},
        "http://minio:9000",
        False,
        False,
    ),
    "the bucket in the host": (
        {"AWS_ENDPOINT_URL": "https://minio", "S3_USER_VIRTUAL_BUCKET": "1"},
        "https://bucket.minio",
        True,
        False,
    ),
    "accelerated": (
        {"S3_USE_ACCELERATE": "true"},
        "https://bucket.s3-accelerate.amazonaws.com",
        True,
        False,
    ),
}


@pytest.mark.parametrize(("env", "endpoint", "virtual", "signed"), S3.values(), ids=S3)
def test_s3(env: dict[str, str], endpoint: str, virtual: bool, signed: bool) -> None:
    bucket = Bucket(Family.S3, "bucket", "")
    store, has_keys = open_store(bucket, Credentials(env), StorageSettings())
    assert isinstance(store, S3Store)
    assert store.config.get("endpoint") == endpoint
    assert store.config.get("virtual_hosted_style_request", False) in (
        virtual,
        str(virtual).lower(),
    )
    assert has_keys == signed


@pytest.mark.parametrize("family", [Family.S3, Family.GOOGLE])
def test_a_machine_of_the_cloud_may_ask_for_its_own(
    family: Literal[Family.S3, Family.GOOGLE],
) -> None:
    settings = StorageSettings(instance_credentials=True)
    _, has_keys = open_store(Bucket(family, "bucket", ""), Credentials(), settings)
    assert has_keys
