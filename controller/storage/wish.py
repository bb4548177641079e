"""What an InferenceService says of its model -> the request that fetches it. Pure.

Here the rules of this room meet: URI or storage spec, whose credentials, which StorageContainer,
which files. Everything that is wrong comes at once; what may be wrong (a Secret that is named and
not there) is a warning, as the model may be public.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controller.resources.config import CredentialConfig
from controller.resources.credentials import Secret, ServiceAccount
from controller.resources.inferenceservice import StorageSpec
from controller.resources.storagecontainer import AnyStorageContainer
from controller.storage.containers import (
    Command,
    WorkloadType,
    choose,
    command_of,
    plain_env,
)
from controller.storage.credentials import NONE_GIVEN, Credentials, completed, from_environment
from controller.storage.locations import Blobs, Bucket, HubModel, WebFile, locate
from controller.storage.names import ALLOW, IGNORE, read_patterns
from controller.storage.outcome import Fault, FetchFailed
from controller.storage.request import Request, folder_name
from controller.storage.secrets import account_credentials, secret_texts
from controller.storage.spec import place
from controller.storage.uris import mapped_path

DEFAULT_ACCOUNT = "default"


@dataclass(frozen=True, slots=True)
class Objects:
    """What a namespace has; all by name."""

    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    accounts: Mapping[str, ServiceAccount] = field(default_factory=dict)
    authorities: Mapping[str, str] = field(default_factory=dict)  # `cabundle.crt` of ConfigMaps
    containers: Sequence[AnyStorageContainer] = ()  # those of the cluster too
    config: CredentialConfig = CredentialConfig()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Model:
    """Where it is, in the words of the InferenceService."""

    namespace: str
    folder: Path  # where a relative path begins: the manifest's
    uri: str | None = None
    storage: StorageSpec | None = None
    account: str | None = None
    container: str | None = None  # the StorageContainer that it names
    workload_type: WorkloadType = "initContainer"  # that of those which may fetch it
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wish:
    request: Request
    warnings: tuple[str, ...] = ()


def wish(
    model: Model,
    objects: Objects,
    environ: Mapping[str, str],
    models: Path,
    uri_map: Mapping[str, Path],
) -> Wish | list[str]:
    """`models`: the folder that has a folder for each model."""
    if model.uri and mapped_path(model.uri, uri_map):
        return Wish(Request(model.uri, models / folder_name(model.uri, NONE_GIVEN), model.folder))
    placed = _placed(model, objects)
    if isinstance(placed, list):
        return placed
    uri, credentials, warnings = placed
    by_path = bool(model.storage and model.storage.path)
    # KServe asks for a container before it knows the URI of a storage.path; by name it still can.
    container = (
        None
        if by_path and not model.container
        else choose(
            uri,
            objects.containers,
            namespace=model.namespace,
            name=model.container,
            workload_type=model.workload_type,
        )
    )
    if isinstance(container, str):
        return [container]
    env = _env(container, objects)
    if isinstance(env, list):
        return env
    command = command_of(container, env) if container else None
    location = locate(uri, model.folder)
    if isinstance(location, FetchFailed) and command is None:
        return [location.message]
    try:
        patterns = read_patterns(env if env.keys() & {ALLOW, IGNORE} else environ)
    except Fault as fault:
        return [fault.failed.message]
    credentials = completed(credentials, from_environment(environ))
    credentials = _needed(credentials, location, command)
    name = folder_name(uri, credentials, command, patterns)
    request = Request(uri, models / name, model.folder, credentials, command, patterns)
    return Wish(request, warnings)


def _placed(model: Model, objects: Objects) -> tuple[str, Credentials, tuple[str, ...]] | list[str]:
    if model.storage and (model.storage.path or model.storage.key):
        name = objects.config.storage_spec_secret_name
        name = model.annotations.get(objects.config.storage_secret_name_annotation, name)
        secret = objects.secrets.get(name)
        texts = secret_texts(secret) if secret else None
        found = place(model.storage, name, texts, objects.authorities, model.uri)
        if isinstance(found, list):
            return found
        return found.uri, found.credentials, ()
    if not model.uri:
        return ["it names no model; add storageUri, a path beside this file or a URI"]
    account = objects.accounts.get(model.account or DEFAULT_ACCOUNT)
    warnings: tuple[str, ...] = ()
    if model.account and account is None:
        warnings = (f"service account {model.account} does not exist; add it",)
    given = account_credentials(
        account, objects.secrets, model.annotations, objects.config, objects.authorities
    )
    return model.uri, given.credentials, warnings + given.problems


def _env(container: AnyStorageContainer | None, objects: Objects) -> dict[str, str] | list[str]:
    if container is None:
        return {}
    return plain_env(container, {name: secret_texts(s) for name, s in objects.secrets.items()})


def _needed(credentials: Credentials, location: object, command: Command | None) -> Credentials:
    """Only those that open it, so that others make no second copy; a command may need any."""
    match location:
        case Bucket() | Blobs() | WebFile() | HubModel() if command is None:
            return credentials.only(location.family)
        case _ if command is None:
            return NONE_GIVEN
    return credentials
