"""Location and credentials -> a store of obstore. Every setting that obstore would else take from
the environment of the process is said here, so that only the given credentials count.
"""

import atexit
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from controller.storage.credentials import GOOGLE_FILE, Credentials
from controller.storage.locations import Blobs, Bucket, Family
from controller.storage.outcome import Fault, Reason
from controller.storage.secrets import endpoint_url
from controller.storage.settings import StorageSettings

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

SETTLE_S: Final = 0.1
REGION: Final = "us-east-1"  # AWS's own default
GOOGLE: Final = "https://storage.googleapis.com"
_TRUE = frozenset({"1", "true", "yes", "on"})


def open_store(
    location: Bucket | Blobs, credentials: Credentials, settings: StorageSettings
) -> "tuple[ObjectStore, bool]":
    """The store, and whether requests to it will carry credentials."""
    try:
        import obstore  # noqa: PLC0415 - part of an extra
    except ImportError as error:
        raise missing_library(location.family) from error
    _settle_at_exit()
    try:
        match location:
            case Blobs():
                return _azure(location, credentials, settings)
            case Bucket(family=Family.S3):
                return _s3(location, credentials, settings)
        return _google(location, credentials, settings)
    except (obstore.exceptions.BaseError, ValueError, OSError) as error:
        message = f"the credentials for {location.family} cannot be used; check their form"
        raise Fault(Reason.BAD_CREDENTIALS, message) from error


@cache
def _settle_at_exit() -> None:
    """obstore's threads let go of Python objects just after they gave their answer; one that does
    so while the interpreter goes away aborts the process (PyO3/pyo3-async-runtimes issue 40).
    """
    atexit.register(time.sleep, SETTLE_S)


def missing_library(family: Family) -> Fault:
    message = f"fetching from {family} needs more packages: pip install 'graphway[storage]'"
    return Fault(Reason.NO_LIBRARY, message)


def _s3(
    location: Bucket, credentials: Credentials, settings: StorageSettings
) -> "tuple[S3Store, bool]":
    from obstore.store import S3Store  # noqa: PLC0415

    key, secret = credentials.get("AWS_ACCESS_KEY_ID"), credentials.get("AWS_SECRET_ACCESS_KEY")
    anonymous = _is_on(credentials.get("awsAnonymousCredential"))
    virtual = _is_on(credentials.get("S3_USER_VIRTUAL_BUCKET"))
    region = credentials.get("AWS_DEFAULT_REGION") or REGION
    endpoint = credentials.get("AWS_ENDPOINT_URL", "S3_ENDPOINT")
    if endpoint is None and _is_on(credentials.get("S3_USE_ACCELERATE")):
        endpoint, virtual = "https://s3-accelerate.amazonaws.com", True
    elif endpoint is None:
        endpoint = f"https://s3.{region}.amazonaws.com"
    endpoint = endpoint_url(endpoint, credentials.get("S3_USE_HTTPS")).rstrip("/")
    if virtual:
        scheme, _, host = endpoint.partition("://")
        endpoint = f"{scheme}://{location.bucket}.{host}"
    config: dict[str, Any] = {
        "endpoint": endpoint,
        "region": region,
        "virtual_hosted_style_request": virtual,
        "skip_signature": False,
    }
    provider = None
    role, token_file = (
        credentials.get("AWS_ROLE_ARN"),
        credentials.get("AWS_WEB_IDENTITY_TOKEN_FILE"),
    )
    signed = True
    if key and secret and not anonymous:
        token = credentials.get("AWS_SESSION_TOKEN")

        def provider() -> Any:
            return {
                "access_key_id": key,
                "secret_access_key": secret,
                "token": token,
                "expires_at": None,
            }

    elif role and token_file and not anonymous:
        config |= {"role_arn": role, "web_identity_token_file": token_file}
    elif anonymous or not settings.instance_credentials:
        config["skip_signature"], signed = True, False
    bundle = credentials.get("AWS_CA_BUNDLE")
    insecure = credentials.get("S3_VERIFY_SSL")
    client = _client(
        settings,
        ca_pem=credentials.ca_pem or (Path(bundle).read_text() if bundle else None),
        verify=insecure is None or _is_on(insecure),
    )
    store = S3Store(
        location.bucket,
        config=config,  # type: ignore[arg-type]
        client_options=client,  # type: ignore[arg-type]
        retry_config=_NO_RETRIES,
        credential_provider=provider,
    )
    return store, signed


def _google(
    location: Bucket, credentials: Credentials, settings: StorageSettings
) -> "tuple[GCSStore, bool]":
    from obstore.store import GCSStore  # noqa: PLC0415

    config: dict[str, Any] = {"base_url": credentials.get("GOOGLE_BASE_URL") or GOOGLE}
    signed = True
    if credentials.google_key:
        key = json.loads(credentials.google_key)
        if not isinstance(key, dict) or key.get("type", "service_account") != "service_account":
            message = "the Secret's Google key is not that of a service account; make one of it"
            raise Fault(Reason.BAD_CREDENTIALS, message)
        config["service_account_key"] = credentials.google_key
    elif path := credentials.get(GOOGLE_FILE):
        config["application_credentials"] = path
    elif not settings.instance_credentials:
        config["skip_signature"], signed = True, False
    store = GCSStore(
        location.bucket,
        config=config,  # type: ignore[arg-type]
        client_options=_client(settings, credentials.ca_pem),  # type: ignore[arg-type]
        retry_config=_NO_RETRIES,
    )
    return store, signed


def _azure(
    location: Blobs, credentials: Credentials, settings: StorageSettings
) -> "tuple[AzureStore, bool]":
    from obstore.store import AzureStore  # noqa: PLC0415

    config: dict[str, Any] = {
        "account_name": location.account,
        "endpoint": credentials.get("AZURE_STORAGE_ENDPOINT")
        or f"https://{location.account}.blob.core.windows.net",
    }
    client, tenant = credentials.get("AZURE_CLIENT_ID"), credentials.get("AZURE_TENANT_ID")
    password = credentials.get("AZURE_CLIENT_SECRET")
    federated = credentials.get("AZURE_FEDERATED_TOKEN_FILE")
    signed = True
    if signature := location.signature or credentials.get("AZURE_STORAGE_SAS_TOKEN"):
        config["sas_key"] = signature.lstrip("?")
    elif token := credentials.get("AZURE_ACCESS_TOKEN"):
        config["token"] = token
    elif key := credentials.get("AZURE_STORAGE_ACCESS_KEY"):
        config["account_key"] = key
    elif client and tenant and password:
        config |= {"client_id": client, "tenant_id": tenant, "client_secret": password}
    elif client and tenant and federated:
        config |= {"client_id": client, "tenant_id": tenant, "federated_token_file": federated}
    elif not settings.instance_credentials:
        config["skip_signature"], signed = True, False
    store = AzureStore(
        location.container,
        config=config,  # type: ignore[arg-type]
        client_options=_client(settings, credentials.ca_pem),  # type: ignore[arg-type]
        retry_config=_NO_RETRIES,
    )
    return store, signed


# The download counts tries itself, for all stores alike.
_NO_RETRIES: Any = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}


def _client(
    settings: StorageSettings, ca_pem: str | None = None, verify: bool = True
) -> Mapping[str, object]:
    options: dict[str, object] = {
        "allow_http": True,  # as the endpoint says
        "connect_timeout": timedelta(seconds=settings.connect_seconds),
        "read_timeout": timedelta(seconds=settings.stall_seconds),
        # A limit on the whole would end every large part on a slow line.
        "timeout": timedelta(days=1),
    }
    if ca_pem:
        options["root_certificate"] = ca_pem
    if not verify:
        options["allow_invalid_certificates"] = True
    return options


def _is_on(value: str | None) -> bool:
    return value is not None and value.strip().lower() in _TRUE
