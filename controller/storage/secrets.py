"""Secrets and service accounts -> Credentials, by KServe's rules.

Which Secret counts, what kind each is (by the first known key that it has), and which S3 settings
win: annotation, then the Secret's data, then the ConfigMap. Pure: the caller has looked the objects
up; what is missing is a problem in words that say how to mend it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from controller.storage.credentials import GOOGLE_FILE, HEADERS_SUFFIX, Credentials

ROLE_ARN = "eks.amazonaws.com/role-arn"
_ANNOTATION = "serving.kserve.io/s3-"


@dataclass(frozen=True, slots=True)
class SecretData:
    """A Secret, its data decoded."""

    name: str
    data: Mapping[str, str] = field(repr=False)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountData:
    """A service account; `secrets` are names."""

    name: str
    secrets: Sequence[str] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CredentialRules:
    """The key `credentials` of the ConfigMap `inferenceservice-config`."""

    access_key_name: str = "AWS_ACCESS_KEY_ID"
    secret_key_name: str = "AWS_SECRET_ACCESS_KEY"
    google_file_name: str = "gcloud-application-credentials.json"
    spec_secret_name: str = "storage-config"
    secret_annotation: str = "serving.kserve.io/storageSecretName"
    s3: Mapping[str, str] = field(default_factory=dict)  # s3Endpoint, s3UseHttps, ... as written


@dataclass(frozen=True, slots=True)
class Found:
    credentials: Credentials
    problems: tuple[str, ...] = ()  # the model may be public: whoever fetches it finds out


# One S3 setting a row: annotation and ConfigMap key by their ends, and what the initializer reads.
_S3_SETTINGS = (
    ("usehttps", "s3UseHttps", "S3_USE_HTTPS"),
    ("region", "s3Region", "AWS_DEFAULT_REGION"),
    ("verifyssl", "s3VerifySSL", "S3_VERIFY_SSL"),
    ("usevirtualbucket", "s3UseVirtualBucket", "S3_USER_VIRTUAL_BUCKET"),
    ("useaccelerate", "s3UseAccelerate", "S3_USE_ACCELERATE"),
    ("useanoncredential", "s3UseAnonymousCredential", "awsAnonymousCredential"),
    ("cabundle", "s3CABundle", "AWS_CA_BUNDLE"),
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


def account_credentials(
    account: AccountData | None,
    secrets: Mapping[str, SecretData],
    annotations: Mapping[str, str],
    rules: CredentialRules,
    authorities: Mapping[str, str] | None = None,
) -> Found:
    """`annotations` are the InferenceService's; `authorities` the `cabundle.crt` of ConfigMaps."""
    env: dict[str, str] = {}
    problems: list[str] = []
    google_key: str | None = None
    ca_pem: str | None = None
    named = annotations.get(rules.secret_annotation)
    wanted = [named] if named else list(account.secrets) if account else []
    if account and account.annotations.get(ROLE_ARN):
        env |= s3_settings(account.annotations, {}, rules)
    for name in wanted:
        secret = secrets.get(name)
        if secret is None:
            user = (
                "an annotation" if named else f"service account {account.name}" if account else ""
            )
            problems.append(f"Secret {name}, which {user} names, does not exist; add it")
            continue
        if rules.secret_key_name in secret.data or _default_s3_key(secret, rules):
            env |= _s3(secret, rules)
            bundle = _ca_bundle_name(secret, rules)
            if bundle and (ca_pem := (authorities or {}).get(bundle)) is None:
                problems.append(
                    f"ConfigMap {bundle} has no cabundle.crt, or does not exist; add it"
                )
        elif rules.google_file_name in secret.data:
            google_key = secret.data[rules.google_file_name]
        elif secret.data.keys() & {"AZ_CLIENT_ID", "AZURE_CLIENT_ID", "AZURE_ACCESS_TOKEN"}:
            env |= {_AZURE[key]: value for key, value in secret.data.items() if key in _AZURE}
        elif "AZURE_STORAGE_ACCESS_KEY" in secret.data:
            env["AZURE_STORAGE_ACCESS_KEY"] = secret.data["AZURE_STORAGE_ACCESS_KEY"]
        elif "https-host" in secret.data:
            host = secret.data["https-host"].strip()
            env[host + HEADERS_SUFFIX] = secret.data.get("headers", "{}")
        elif "HF_TOKEN" in secret.data:
            env["HF_TOKEN"] = secret.data["HF_TOKEN"].strip()
    return Found(Credentials(env, google_key, ca_pem), tuple(problems))


def _default_s3_key(secret: SecretData, rules: CredentialRules) -> bool:
    """KServe's code and its ConfigMap have different defaults for the name of this key."""
    return "awsSecretAccessKey" in secret.data and rules.secret_key_name not in secret.data


def _s3(secret: SecretData, rules: CredentialRules) -> dict[str, str]:
    data = secret.data
    found = {
        "AWS_ACCESS_KEY_ID": data.get(rules.access_key_name) or data.get("awsAccessKeyID"),
        "AWS_SECRET_ACCESS_KEY": data.get(rules.secret_key_name) or data.get("awsSecretAccessKey"),
        "AWS_SESSION_TOKEN": data.get("AWS_SESSION_TOKEN"),
    }
    # A file made with `echo` ends with a line break, which no key has.
    keys = {name: value.strip() for name, value in found.items() if value}
    return keys | s3_settings(secret.annotations, data, rules)


def s3_settings(
    annotations: Mapping[str, str], data: Mapping[str, str], rules: CredentialRules
) -> dict[str, str]:
    env = {}
    for end, key, variable in _S3_SETTINGS:
        value = annotations.get(_ANNOTATION + end) or data.get(variable) or rules.s3.get(key)
        if value:
            env[variable] = value.strip()
    endpoint = (
        annotations.get(_ANNOTATION + "endpoint")
        or data.get("S3_ENDPOINT")
        or data.get("AWS_ENDPOINT_URL")
        or rules.s3.get("s3Endpoint")
    )
    if endpoint:
        env["S3_ENDPOINT"] = endpoint.strip()
        env["AWS_ENDPOINT_URL"] = endpoint_url(endpoint.strip(), env.get("S3_USE_HTTPS"))
    return env


def endpoint_url(endpoint: str, use_https: str | None) -> str:
    """A scheme in the endpoint wins; without one it is https unless that is switched off."""
    if "://" in endpoint:
        return endpoint
    return f"{'http' if use_https == '0' else 'https'}://{endpoint}"


def _ca_bundle_name(secret: SecretData, rules: CredentialRules) -> str | None:
    return (
        secret.annotations.get(_ANNOTATION + "cabundle-configmap")
        or secret.data.get("AWS_CA_BUNDLE_CONFIGMAP")
        or rules.s3.get("s3CABundleConfigMap")
    )


def google_file(credentials: Credentials) -> str | None:
    """The path of a key file that the user's environment names."""
    return credentials.get(GOOGLE_FILE)
