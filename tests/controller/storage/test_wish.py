"""From an InferenceService's words to a request: URI, storage spec, container, patterns."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.resources.core import ObjectMeta, ObjectReference
from controller.resources.credentials import Secret, ServiceAccount
from controller.resources.inferenceservice import StorageSpec
from controller.resources.storagecontainer import (
    AnyStorageContainer,
    ClusterStorageContainer,
    StorageContainer,
)
from controller.storage.containers import Command, choose
from controller.storage.names import Patterns
from controller.storage.wish import Model, Objects, Wish, wish

MODELS = Path("/models")
NO_OBJECTS = Objects()


def container(
    name: str,
    *formats: dict[str, str],
    namespace: str | None = None,
    disabled: bool = False,
    kind: str = "initContainer",
    **spec: Any,
) -> AnyStorageContainer:
    model = StorageContainer if namespace else ClusterStorageContainer
    return model.model_validate(
        {
            "metadata": {"name": name, "namespace": namespace},
            "disabled": disabled,
            "spec": {
                "container": {"name": "c", **spec},
                "supportedUriFormats": formats,
                "workloadType": kind,
            },
        }
    )


OURS = {"prefix": "ours://"}
SCRIPT = {"command": ["fetch-ours"], "args": ["--fast"]}

CHOICES: dict[str, tuple[tuple[AnyStorageContainer, ...], str | None]] = {
    "the first that matches": ((container("a", OURS), container("b", OURS)), "a"),
    "not a disabled one": ((container("a", OURS, disabled=True), container("b", OURS)), "b"),
    "not one for jobs": (
        (container("a", OURS, kind="localModelDownloadJob"), container("b", OURS)),
        "b",
    ),
    "by a regex, anywhere": ((container("a", {"regex": "r[gs]://mod.l"}),), "a"),
    "not by another": ((container("a", {"regex": "^models"}),), None),
    "a prefix counts alone": ((container("a", {"prefix": "x", "regex": "ours"}),), None),
    "a regex that is none": ((container("a", {"regex": "("}), container("b", OURS)), "b"),
    "the namespace's own first": (
        (container("a", OURS), container("n", OURS, namespace="ns")),
        "n",
    ),
    "not another namespace's": ((container("n", OURS, namespace="other"),), None),
}


@pytest.mark.parametrize(("containers", "name"), CHOICES.values(), ids=CHOICES)
def test_choice(containers: tuple[AnyStorageContainer, ...], name: str | None) -> None:
    chosen = choose("ours://models/m", containers, namespace="ns")
    assert not isinstance(chosen, str)
    assert (chosen.metadata.name if chosen else None) == name


NAMED = {
    "there is none": ((), "there is no StorageContainer a"),
    "disabled": ((container("a", OURS, disabled=True),), "disabled"),
    "for jobs": ((container("a", OURS, kind="localModelDownloadJob"),), "workloadType"),
    "of other URIs": ((container("a", {"prefix": "x://"}),), "supportedUriFormats"),
}


@pytest.mark.parametrize(("containers", "words"), NAMED.values(), ids=NAMED)
def test_a_name_that_cannot_be_followed(
    containers: tuple[AnyStorageContainer, ...], words: str
) -> None:
    chosen = choose("ours://m", containers, namespace="ns", name="a")
    assert isinstance(chosen, str)
    assert words in chosen


def wished(
    objects: Objects = NO_OBJECTS,
    environ: dict[str, str] | None = None,
    uri_map: dict[str, Path] | None = None,
    **said: Any,
) -> Any:
    model = Model("ns", Path("/manifests"), **said)
    return wish(model, objects, environ or {}, MODELS, uri_map or {})


def test_a_command_gets_its_arguments_environment_and_all_credentials() -> None:
    env = [
        {"name": "PLAIN", "value": "1"},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "p"}}},
        {
            "name": "NONE",
            "valueFrom": {"secretKeyRef": {"name": "s", "key": "x", "optional": True}},
        },
        {"name": "STORAGE_ALLOW_PATTERNS", "value": "*.bin"},
    ]
    secret = Secret(metadata=ObjectMeta(name="s"), string_data={"p": "pw"})
    objects = Objects({"s": secret}, containers=(container("a", OURS, env=env, **SCRIPT),))
    found = wished(objects, {"HF_TOKEN": "hf"}, uri="ours://m")
    assert isinstance(found, Wish)
    assert found.request.command == Command(
        ("fetch-ours", "--fast"),
        {"PLAIN": "1", "PASSWORD": "pw", "STORAGE_ALLOW_PATTERNS": "*.bin"},
        frozenset({"PASSWORD"}),
    )
    assert found.request.patterns == Patterns(("*.bin",))
    assert dict(found.request.credentials.env) == {"HF_TOKEN": "hf"}
    assert found.request.target.parent == MODELS


def test_an_image_alone_is_the_built_in_fetcher() -> None:
    default = container("default", {"prefix": "s3://"}, image="kserve/storage-initializer")
    found = wished(Objects(containers=(default,)), uri="s3://b/m")
    assert found.request.command is None


def test_references_that_lead_nowhere_are_told_at_once() -> None:
    env = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "p"}}},
        {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    objects = Objects(containers=(container("a", OURS, env=env, **SCRIPT),))
    found = wished(objects, uri="ours://m")
    assert [words.split()[0] for words in found] == ["A", "B"]


def test_other_stores_credentials_make_no_second_copy() -> None:
    plain = wished(uri="s3://b/m", environ={"AWS_DEFAULT_REGION": "r"})
    more = wished(uri="s3://b/m", environ={"AWS_DEFAULT_REGION": "r", "HF_TOKEN": "hf"})
    other = wished(uri="s3://b/m", environ={"AWS_DEFAULT_REGION": "other"})
    assert plain == more
    assert plain.request.target != other.request.target


def test_a_service_account_and_what_it_lacks() -> None:
    sa = ServiceAccount(metadata=ObjectMeta(name="sa"), secrets=(ObjectReference(name="gone"),))
    found = wished(Objects(accounts={"sa": sa}), uri="s3://b/m", account="sa")
    assert "Secret gone" in found.warnings[0]
    found = wished(uri="s3://b/m", account="nobody")
    assert "nobody" in found.warnings[0]


def test_the_account_called_default_serves_who_names_none() -> None:
    sa = ServiceAccount(metadata=ObjectMeta(name="default"), secrets=(ObjectReference(name="s"),))
    keys = {"AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "k"}
    secret = Secret(metadata=ObjectMeta(name="s"), string_data=keys)
    found = wished(Objects({"s": secret}, {"default": sa}), uri="s3://b/m")
    assert dict(found.request.credentials.env) == keys


PROBLEMS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "names no model"),
    "nobody fetches it": ({"uri": "hdfs://h/m"}, "--uri-map"),
    "patterns that are none": (
        {"uri": "s3://b/m", "environ": {"STORAGE_ALLOW_PATTERNS": "["}},
        "STORAGE_ALLOW_PATTERNS",
    ),
}


@pytest.mark.parametrize(("said", "words"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(said: dict[str, Any], words: str) -> None:
    found = wished(**said)
    assert isinstance(found, list)
    assert words in found[0]


def test_what_the_uri_map_has_needs_nobody_to_fetch_it() -> None:
    found = wished(uri="hdfs://h/m", uri_map={"hdfs://h": Path("/copy")})
    assert isinstance(found, Wish)
    assert found.request.uri == "hdfs://h/m"


# storage: {key, path, parameters}

ENTRY = {
    "type": "s3",
    "bucket": "models",
    "access_key_id": "AKID",
    "secret_access_key": "s3cret",
    "endpoint_url": "http://minio:9000",
    "region": "eu",
    "anonymous": False,
}
S3_ENV = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
    "AWS_ENDPOINT_URL": "http://minio:9000",
    "AWS_DEFAULT_REGION": "eu",
    "awsAnonymousCredential": "false",
}


def config_with(**entries: Any) -> Objects:
    texts = {key: v if isinstance(v, str) else json.dumps(v) for key, v in entries.items()}
    named = Secret(metadata=ObjectMeta(name="storage-config"), string_data=texts)
    return Objects({"storage-config": named})


SPECS: dict[str, tuple[Objects, dict[str, Any], str, dict[str, str]]] = {
    "by key": (config_with(mine=ENTRY), {"key": "mine", "path": "a/b"}, "s3://models/a/b", S3_ENV),
    "a slash in front": (
        config_with(mine=ENTRY),
        {"key": "mine", "path": "/a"},
        "s3://models/a",
        S3_ENV,
    ),
    "the default": (config_with(default=ENTRY), {"path": "a"}, "s3://models/a", S3_ENV),
    "the default of a type": (
        config_with(default_s3=ENTRY, default={"type": "hdfs"}),
        {"path": "a", "parameters": {"type": "s3"}},
        "s3://models/a",
        S3_ENV,
    ),
    "parameters win": (
        config_with(mine=ENTRY),
        {"key": "mine", "path": "a", "parameters": {"bucket": "other", "region": "us"}},
        "s3://other/a",
        S3_ENV | {"AWS_DEFAULT_REGION": "us"},
    ),
    "parameters alone": (
        Objects(),
        {"path": "a", "parameters": {"type": "s3", "bucket": "public"}},
        "s3://public/a",
        {},
    ),
    "another type by parameters": (
        Objects(),
        {"path": "bucket/a", "parameters": {"type": "gs"}},
        "gs://bucket/a",
        {},
    ),
}


@pytest.mark.parametrize(("objects", "spec", "uri", "env"), SPECS.values(), ids=SPECS)
def test_storage_spec(
    objects: Objects, spec: dict[str, Any], uri: str, env: dict[str, str]
) -> None:
    found = wished(objects, storage=StorageSpec(**spec))
    assert isinstance(found, Wish)
    assert found.request.uri == uri
    assert dict(found.request.credentials.env) == env


def test_a_key_beside_a_uri_gives_credentials_only() -> None:
    found = wished(config_with(mine=ENTRY), uri="s3://b/m", storage=StorageSpec(key="mine"))
    assert found.request.uri == "s3://b/m"
    assert dict(found.request.credentials.env) == S3_ENV


BAD_SPECS: dict[str, tuple[Objects, dict[str, Any], tuple[str, ...]]] = {
    "no Secret": (Objects(), {"key": "k", "path": "a"}, ("storage-config does not exist",)),
    "no such key": (config_with(x=ENTRY), {"key": "k", "path": "a"}, ("no key k; it has x",)),
    "no JSON": (config_with(k="{"), {"key": "k", "path": "a"}, ("no JSON mapping",)),
    "no type": (Objects(), {"path": "a"}, ("what kind of storage",)),
    "no bucket": (config_with(k={"type": "s3"}), {"key": "k", "path": "a"}, ("no bucket",)),
    "a type that Secrets cannot have": (
        config_with(k={"type": "gs"}),
        {"key": "k", "path": "a"},
        ("has type gs",),
    ),
    "everything at once": (
        config_with(k={"type": "s3", "cabundle_configmap": "ours"}),
        {"key": "k", "path": "a"},
        ("no bucket", "ConfigMap ours"),
    ),
}


@pytest.mark.parametrize(("objects", "spec", "words"), BAD_SPECS.values(), ids=BAD_SPECS)
def test_a_storage_spec_that_says_too_little(
    objects: Objects, spec: dict[str, Any], words: tuple[str, ...]
) -> None:
    found = wished(objects, storage=StorageSpec(**spec))
    assert isinstance(found, list)
    assert len(found) == len(words)
    assert all(word in message for word, message in zip(words, found, strict=True))
    assert "s3cret" not in repr(found)


def test_no_container_is_picked_for_a_storage_path() -> None:
    objects = Objects(containers=(container("a", {"prefix": "s3://"}, **SCRIPT),))
    spec = StorageSpec(path="m", parameters={"type": "s3", "bucket": "b"})
    assert wished(objects, storage=spec).request.command is None
    assert wished(objects, storage=spec, container="a").request.command is not None
