"""Credentials as one plain value, in the words of KServe's storage initializer: its environment.

Secrets, service accounts and the user's own environment all become this value (`secrets`, `spec`,
`from_environment`); the stores read it, and the command of a StorageContainer finds it in its
environment. Values are secrets: they are in no repr, no message and no argument of a process.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.storage.locations import Family

GOOGLE_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
HEADERS_SUFFIX = "-headers"  # of a host: a JSON mapping of headers for it

# Which variables belong to whom. Each family is taken whole from one place: a session token of the
# shell beside an access key of a Secret would open nothing.
VARIABLES: Mapping[Family, tuple[str, ...]] = {
    Family.S3: (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL",
        "AWS_DEFAULT_REGION",
        "AWS_CA_BUNDLE",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "S3_ENDPOINT",
        "S3_USE_HTTPS",
        "S3_VERIFY_SSL",
        "S3_USER_VIRTUAL_BUCKET",
        "S3_USE_ACCELERATE",
        "awsAnonymousCredential",
    ),
    Family.GOOGLE: (GOOGLE_FILE, "GOOGLE_BASE_URL"),
    Family.AZURE: (
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_TENANT_ID",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_ACCESS_TOKEN",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_ENDPOINT",
        "AZURE_FEDERATED_TOKEN_FILE",
    ),
    Family.WEB: (),  # named by host
    Family.HUB: ("HF_TOKEN", "HF_ENDPOINT"),
}

# Where, how or as whom, and no secret; everything else is one.
_PUBLIC = frozenset(
    {
        *("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_ROLE_ARN"),
        *("AWS_WEB_IDENTITY_TOKEN_FILE", "S3_ENDPOINT", "S3_USE_HTTPS", "S3_VERIFY_SSL"),
        *("S3_USER_VIRTUAL_BUCKET", "S3_USE_ACCELERATE", "awsAnonymousCredential", GOOGLE_FILE),
        *("GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"),
        *("AZURE_SUBSCRIPTION_ID", "AZURE_FEDERATED_TOKEN_FILE", "HF_ENDPOINT"),
    }
)
_SHORTEST_SECRET = 4  # blotting out anything shorter would blot out half the text


@dataclass(frozen=True, slots=True)
class Credentials:
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    google_key: str | None = field(default=None, repr=False)  # the text of a key file, not its path
    ca_pem: str | None = field(default=None, repr=False)  # authorities to trust besides the usual

    def get(self, *names: str) -> str | None:
        """The first that has a value."""
        return next((self.env[name] for name in names if self.env.get(name)), None)

    def only(self, family: Family) -> "Credentials":
        env = {name: value for name, value in self.env.items() if family_of(name) is family}
        key = self.google_key if family is Family.GOOGLE else None
        return Credentials(env, key, self.ca_pem)

    def has(self, family: Family) -> bool:
        mine = self.only(family)
        return bool(mine.env or mine.google_key)

    @property
    def fingerprint(self) -> str:
        """Equal for equal credentials, and says nothing about them."""
        whole = json.dumps([sorted(self.env.items()), self.google_key, self.ca_pem])
        return hashlib.sha256(whole.encode()).hexdigest()

    def scrub(self, text: str) -> str:
        """The text without any of the secrets."""
        secrets = [value for name, value in self.env.items() if name not in _PUBLIC]
        if self.google_key:
            secrets += [self.google_key, *_texts(self.google_key)]
        for name, value in self.env.items():
            if name.endswith(HEADERS_SUFFIX):
                secrets += _texts(value)
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "***")
        return text


NONE_GIVEN = Credentials()


def _texts(document: str) -> Iterable[str]:
    """The values of a JSON mapping: a program may print one without the others."""
    try:
        found = json.loads(document)
    except ValueError:
        return ()
    if not isinstance(found, dict):
        return ()
    return [value for value in found.values() if isinstance(value, str)]


def family_of(variable: str) -> Family | None:
    for family, names in VARIABLES.items():
        if variable in names:
            return family
    return Family.WEB if variable.endswith(HEADERS_SUFFIX) else None


def from_environment(environ: Mapping[str, str]) -> Credentials:
    return Credentials(
        {name: value for name, value in environ.items() if value and family_of(name) is not None}
    )


def completed(first: Credentials, second: Credentials) -> Credentials:
    """`first`, and from `second` the families of which `first` has nothing."""
    env = dict(first.env)
    google_key = first.google_key
    for family in Family:
        if not first.has(family):
            env |= second.only(family).env
            google_key = google_key or second.only(family).google_key
    return Credentials(env, google_key, first.ca_pem or second.ca_pem)
