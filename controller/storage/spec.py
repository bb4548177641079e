"""`storage: {key, path, parameters}` of a model -> a URI and the credentials for it.

The entry of the Secret `storage-config` says type, bucket and keys; `parameters` win over it. Pure.
Where KServe would fail in the pod, this fails at once, with everything that is wrong.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from controller.resources.inferenceservice import StorageSpec
from controller.storage.credentials import Credentials
from controller.storage.locations import Family, scheme_of
from controller.storage.secrets import endpoint_url, no_authorities

IN_SECRET = ("s3", "hdfs", "webhdfs")  # the types that an entry of the Secret may have

# The entry's word, and what the initializer calls it.
_S3_WORDS = {
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
    "region": "AWS_DEFAULT_REGION",
    "ca_bundle": "AWS_CA_BUNDLE",
    "verify_ssl": "S3_VERIFY_SSL",
    "anonymous": "awsAnonymousCredential",
}


@dataclass(frozen=True, slots=True)
class Placed:
    uri: str
    credentials: Credentials


def place(
    spec: StorageSpec,
    secret_name: str,
    secret: Mapping[str, str] | None,
    authorities: Mapping[str, str],
    uri: str | None = None,
) -> Placed | list[str]:
    """`secret`: its values as texts; `authorities`: the `cabundle.crt` of ConfigMaps by name.

    `uri`: the model's own, if only credentials are wanted.
    """
    parameters = spec.parameters
    key = spec.key or (f"default_{parameters['type']}" if parameters.get("type") else "default")
    entry = _entry(spec, key, secret_name, secret)
    if isinstance(entry, str):
        return [entry]
    problems = []
    kind = entry.get("type", "")
    if entry and kind and kind not in IN_SECRET:
        problems.append(f"{key} of Secret {secret_name} has type {kind}; use {_or(IN_SECRET)}")
    settings = {**entry, **parameters}
    kind, bucket = settings.get("type", ""), settings.get("bucket", "")
    if uri is not None:
        kind, bucket = kind or scheme_of(uri) or "", bucket or "that of the URI"
    if not kind:
        problems.append(
            f"nothing says what kind of storage it is; add `type: s3` to its parameters or to "
            f"{key} of Secret {secret_name}"
        )
    if kind == "s3" and not bucket:
        problems.append(f"no bucket is named; add it to parameters or to {key} of {secret_name}")
    bundle = settings.get("cabundle_configmap")
    if bundle and bundle not in authorities:
        problems.append(no_authorities(bundle))
    if problems:
        return problems
    path = (spec.path or "").lstrip("/")
    built = f"{kind}://{bucket}/{path}" if kind in ("s3", "gs") and bucket else f"{kind}://{path}"
    ca_pem = authorities.get(bundle) if bundle else None
    env = _s3_env(settings) if kind == Family.S3 else {}
    return Placed(uri or built, Credentials(env, None, ca_pem))


def _entry(
    spec: StorageSpec, key: str, secret_name: str, secret: Mapping[str, str] | None
) -> dict[str, str] | str:
    """Without a key of the user's the Secret may lack: the parameters then say everything."""
    if secret is None:
        return f"Secret {secret_name} does not exist; add it with the key {key}" if spec.key else {}
    text = secret.get(key)
    if text is None:
        if not spec.key:
            return {}
        there = ", ".join(sorted(secret)) or "nothing"
        return f"Secret {secret_name} has no key {key}; it has {there}"
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return f"{key} of Secret {secret_name} is no JSON mapping; write a `type` and a `bucket`"
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: object) -> str:
    match value:
        case True | False:
            return "true" if value else "false"
        case str():
            return value
    return json.dumps(value)


def _s3_env(settings: Mapping[str, str]) -> dict[str, str]:
    env = {variable: settings[word] for word, variable in _S3_WORDS.items() if settings.get(word)}
    if endpoint := settings.get("endpoint_url"):
        env["AWS_ENDPOINT_URL"] = endpoint_url(endpoint, None)
    return env


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
