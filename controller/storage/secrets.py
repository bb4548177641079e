"""Secrets and service accounts -> Credentials, by KServe's rules.

Which Secret counts, what kind each is (by the first known key that it has), and which S3 settings
win: annotation, then the Secret's data, then the ConfigMap. Pure: the caller has looked the objects
up. What is missing is a problem in words, not a failure: the model may be public, and whoever
fetches it finds out.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from controller.resources.config import CredentialConfig
from controller.resources.credentials import Secret, ServiceAccount
from controller.storage.credentials import HEADERS_SUFFIX, Credentials

ROLE_ARN = "eks.amazonaws.com/role-arn"
_ANNOTATION = "serving.kserve.io/s3-"

# One S3 setting a row: annotation by its end, field of the ConfigMap, and the initializer's word.
_S3_SETTINGS = (
    ("usehttps", "s3_use_https", "S3_USE_HTTPS"),
    ("region", "s3_region", "AWS_DEFAULT_REGION"),
    ("verifyssl", "s3_verify_ssl", "S3_VERIFY_SSL"),
    ("usevirtualbucket", "s3_use_virtual_bucket", "S3_USER_VIRTUAL_BUCKET"),
    ("useaccelerate", "s3_use_accelerate", "S3_USE_ACCELERATE"),
    ("useanoncredential", "s3_use_anonymous_credential", "awsAnonymousCredential"),
    ("cabundle", "s3_ca_bundle", "AWS_CA_BUNDLE"),
)

# Keys of a Secret, and the variable that each becomes.
_AZURE = {
    "AZ_CLIENT_ID": "AZURE_CLIENT_ID",
    "AZ_CLIENT_SECRET": "AZURE_CLIENT_SECRET",
    "AZ_TENANT_ID": "AZURE_TENANT_ID",
    "AZ_SUBSCRIPTION_ID": "AZURE_SUBSCRIPTION_ID",
    "AZURE_CLIENT_ID": "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET": "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID": "AZURE_TENANT_ID",
    "AZURE_SUBSCRIPTION_ID": "AZURE_SUBSCRIPTION_ID",
    "AZURE_ACCESS_TOKEN": "AZURE_ACCESS_TOKEN",
}
_AZURE_SIGNS = frozenset({"AZ_CLIENT_ID", "AZURE_CLIENT_ID", "AZURE_ACCESS_TOKEN"})


@dataclass(frozen=True, slots=True)
class Found:
    credentials: Credentials
    problems: tuple[str, ...] = ()


def secret_texts(secret: Secret) -> dict[str, str]:
    """Its values decoded; one that is no base64 of a text is left out, as if it did not exist."""
    found = {}
    for key, value in secret.data.items():
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found | secret.string_data


def account_credentials(
    account: ServiceAccount | None,
    secrets: Mapping[str, Secret],
    annotations: Mapping[str, str],
    config: CredentialConfig,
    authorities: Mapping[str, str],
) -> Found:
    """`annotations` are the InferenceService's; `authorities` the `cabundle.crt` of ConfigMaps."""
    env: dict[str, str] = {}
    problems: list[str] = []
    google_key = ca_pem = None
    if account and account.metadata.annotations.get(ROLE_ARN):
        env |= _s3_settings(account.metadata.annotations, {}, config)
    for name, user in _wanted(account, annotations, config):
        secret = secrets.get(name)
        if secret is None:
            problems.append(f"Secret {name}, which {user} names, does not exist; add it")
            continue
        data = secret_texts(secret)
        if _secret_key(data, config):
            env |= _s3(secret, data, config)
            bundle = _ca_bundle_name(secret, data, config)
            if bundle and (ca_pem := authorities.get(bundle)) is None:
                problems.append(no_authorities(bundle))
        elif config.gcs.gcs_credential_file_name in data:
            google_key = data[config.gcs.gcs_credential_file_name]
        elif data.keys() & _AZURE_SIGNS:
            env |= {_AZURE[key]: value.strip() for key, value in data.items() if key in _AZURE}
        elif key := data.get("AZURE_STORAGE_ACCESS_KEY"):
            env["AZURE_STORAGE_ACCESS_KEY"] = key.strip()
        elif host := data.get("https-host", "").strip():
            env[host + HEADERS_SUFFIX] = data.get("headers", "{}")
        elif token := data.get("HF_TOKEN"):
            env["HF_TOKEN"] = token.strip()
    return Found(Credentials(env, google_key, ca_pem), tuple(problems))


def no_authorities(bundle: str) -> str:
    return f"ConfigMap {bundle} has no cabundle.crt, or does not exist; add it"


def _wanted(
    account: ServiceAccount | None, annotations: Mapping[str, str], config: CredentialConfig
) -> list[tuple[str, str]]:
    """Names of Secrets, and who names them: the annotation's one alone, else the account's."""
    if name := annotations.get(config.storage_secret_name_annotation):
        return [(name, f"the annotation {config.storage_secret_name_annotation}")]
    if account is None:
        return []
    user = f"service account {account.metadata.name}"
    return [(reference.name, user) for reference in account.secrets if reference.name]


def _secret_key(data: Mapping[str, str], config: CredentialConfig) -> str | None:
    """KServe's code and its ConfigMap have different defaults for the name of this key."""
    return data.get(config.s3.s3_secret_access_key_name) or data.get("awsSecretAccessKey")


def _s3(secret: Secret, data: Mapping[str, str], config: CredentialConfig) -> dict[str, str]:
    found = {
        "AWS_ACCESS_KEY_ID": data.get(config.s3.s3_access_key_id_name)
        or data.get("awsAccessKeyID"),
        "AWS_SECRET_ACCESS_KEY": _secret_key(data, config),
        "AWS_SESSION_TOKEN": data.get("AWS_SESSION_TOKEN"),
    }
    # A file made with `echo` ends with a line break, which no key has.
    keys = {name: value.strip() for name, value in found.items() if value}
    return keys | _s3_settings(secret.metadata.annotations, data, config)


def _s3_settings(
    annotations: Mapping[str, str], data: Mapping[str, str], config: CredentialConfig
) -> dict[str, str]:
    env = {}
    for end, key, variable in _S3_SETTINGS:
        value = annotations.get(_ANNOTATION + end) or data.get(variable) or getattr(config.s3, key)
        if value:
            env[variable] = value.strip()
    endpoint = (
        annotations.get(_ANNOTATION + "endpoint")
        or data.get("S3_ENDPOINT")
        or data.get("AWS_ENDPOINT_URL")
        or config.s3.s3_endpoint
    ).strip()
    if endpoint:
        env["S3_ENDPOINT"] = endpoint
        env["AWS_ENDPOINT_URL"] = endpoint_url(endpoint, env.get("S3_USE_HTTPS"))
    return env


def endpoint_url(endpoint: str, use_https: str | None) -> str:
    """A scheme in the endpoint wins; without one it is https unless that is switched off."""
    if "://" in endpoint:
        return endpoint
    return f"{'http' if use_https == '0' else 'https'}://{endpoint}"


def _ca_bundle_name(
    secret: Secret, data: Mapping[str, str], config: CredentialConfig
) -> str | None:
    return (
        secret.metadata.annotations.get(_ANNOTATION + "cabundle-configmap")
        or data.get("AWS_CA_BUNDLE_CONFIGMAP")
        or config.s3.s3_ca_bundle_config_map
        or None
    )
