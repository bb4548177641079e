"""Credentials: from Secrets, service accounts and the environment, by KServe's rules."""

import base64

import pytest

from controller.resources.config import CredentialConfig, S3Config
from controller.resources.core import ObjectMeta, ObjectReference
from controller.resources.credentials import Secret, ServiceAccount
from controller.storage.credentials import Credentials, completed, from_environment
from controller.storage.locations import Family
from controller.storage.secrets import account_credentials, secret_texts


def secret(name: str, data: dict[str, str], **annotations: str) -> Secret:
    named = {key.replace("_", "-"): value for key, value in annotations.items()}
    notes = {f"serving.kserve.io/{key}": value for key, value in named.items()}
    return Secret(metadata=ObjectMeta(name=name, annotations=notes), string_data=data)


def account(*secrets: str, **annotations: str) -> ServiceAccount:
    return ServiceAccount(
        metadata=ObjectMeta(name="sa", annotations=annotations),
        secrets=tuple(ObjectReference(name=name) for name in secrets),
    )


KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret"}

KINDS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "S3 keys": (KEYS, KEYS),
    "by the names of KServe's code": (
        {"awsAccessKeyID": "AKID", "awsSecretAccessKey": "s3cret"},
        KEYS,
    ),
    "with a line end": ({k: f"{v}\n" for k, v in KEYS.items()}, KEYS),
    "and settings": (
        {**KEYS, "AWS_DEFAULT_REGION": "eu-west-1", "S3_VERIFY_SSL": "0"},
        {**KEYS, "AWS_DEFAULT_REGION": "eu-west-1", "S3_VERIFY_SSL": "0"},
    ),
    "an endpoint": (
        {**KEYS, "S3_ENDPOINT": "minio:9000", "S3_USE_HTTPS": "0"},
        {
            **KEYS,
            "S3_ENDPOINT": "minio:9000",
            "S3_USE_HTTPS": "0",
            "AWS_ENDPOINT_URL": "http://minio:9000",
        },
    ),
    "an endpoint with a scheme": (
        {**KEYS, "S3_ENDPOINT": "http://minio"},
        {**KEYS, "S3_ENDPOINT": "http://minio", "AWS_ENDPOINT_URL": "http://minio"},
    ),
    "an Azure principal": (
        {"AZ_CLIENT_ID": "c", "AZ_CLIENT_SECRET": "s", "AZ_TENANT_ID": "t", "other": "x"},
        {"AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s", "AZURE_TENANT_ID": "t"},
    ),
    "an Azure token": ({"AZURE_ACCESS_TOKEN": "t"}, {"AZURE_ACCESS_TOKEN": "t"}),
    "an Azure key": ({"AZURE_STORAGE_ACCESS_KEY": "k"}, {"AZURE_STORAGE_ACCESS_KEY": "k"}),
    "headers for a host": (
        {"https-host": "models.test", "headers": '{"A": "b"}'},
        {"models.test-headers": '{"A": "b"}'},
    ),
    "a hub's token": ({"HF_TOKEN": "hf_x\n"}, {"HF_TOKEN": "hf_x"}),
    "S3 keys go before a hub's token": ({**KEYS, "HF_TOKEN": "hf_x"}, KEYS),
    "something else": ({"password": "x"}, {}),
}


@pytest.mark.parametrize(("data", "env"), KINDS.values(), ids=KINDS)
def test_a_secret_is_known_by_its_keys(data: dict[str, str], env: dict[str, str]) -> None:
    found = account_credentials(
        account("one"), {"one": secret("one", data)}, {}, CredentialConfig(), {}
    )
    assert dict(found.credentials.env) == env
    assert found.problems == ()


def test_a_google_key_is_kept_as_text() -> None:
    secrets = {"g": secret("g", {"gcloud-application-credentials.json": '{"type": "x"}'})}
    found = account_credentials(account("g"), secrets, {}, CredentialConfig(), {})
    assert found.credentials.google_key == '{"type": "x"}'


def test_s3_settings_annotation_before_secret_before_config() -> None:
    config = CredentialConfig(
        s3=S3Config(s3_region="config", s3_endpoint="config:1", s3_use_virtual_bucket="1")
    )
    data = {**KEYS, "AWS_DEFAULT_REGION": "secret", "S3_ENDPOINT": "secret:1"}
    one = secret("one", data, s3_region="annotation")
    env = account_credentials(account("one"), {"one": one}, {}, config, {}).credentials.env
    assert env["AWS_DEFAULT_REGION"] == "annotation"
    assert env["AWS_ENDPOINT_URL"] == "https://secret:1"
    assert env["S3_USER_VIRTUAL_BUCKET"] == "1"


def test_keys_may_have_other_names() -> None:
    config = CredentialConfig(
        s3=S3Config(s3_access_key_id_name="id", s3_secret_access_key_name="key")
    )
    one = secret("one", {"id": "AKID", "key": "s3cret"})
    env = account_credentials(account("one"), {"one": one}, {}, config, {}).credentials.env
    assert dict(env) == KEYS


def test_the_annotation_s_secret_is_the_only_one() -> None:
    secrets = {"one": secret("one", KEYS), "two": secret("two", {"HF_TOKEN": "hf"})}
    named = {"serving.kserve.io/storageSecretName": "two"}
    found = account_credentials(account("one"), secrets, named, CredentialConfig(), {})
    assert dict(found.credentials.env) == {"HF_TOKEN": "hf"}


def test_all_secrets_of_the_account_count() -> None:
    secrets = {"one": secret("one", KEYS), "two": secret("two", {"HF_TOKEN": "hf"})}
    found = account_credentials(account("one", "two"), secrets, {}, CredentialConfig(), {})
    assert dict(found.credentials.env) == {**KEYS, "HF_TOKEN": "hf"}


def test_a_role_brings_settings_without_keys() -> None:
    role = {
        "eks.amazonaws.com/role-arn": "arn:x",
        "serving.kserve.io/s3-region": "eu-west-1",
    }
    found = account_credentials(account(**role), {}, {}, CredentialConfig(), {})
    assert dict(found.credentials.env) == {"AWS_DEFAULT_REGION": "eu-west-1"}


def test_what_is_missing_is_told_all_at_once() -> None:
    bundled = secret("one", KEYS, s3_cabundle_configmap="ours")
    found = account_credentials(
        account("gone", "one"), {"one": bundled}, {}, CredentialConfig(), {}
    )
    assert [words.split(",")[0] for words in found.problems] == [
        "Secret gone",
        "ConfigMap ours has no cabundle.crt",
    ]


def test_a_bundle_of_authorities_comes_along() -> None:
    bundled = secret("one", KEYS, s3_cabundle_configmap="ours")
    found = account_credentials(
        account("one"), {"one": bundled}, {}, CredentialConfig(), {"ours": "PEM"}
    )
    assert found.credentials.ca_pem == "PEM"


def test_no_account_no_credentials() -> None:
    assert account_credentials(None, {}, {}, CredentialConfig(), {}).credentials == Credentials()


def test_data_is_base64_and_string_data_wins() -> None:
    encoded = {
        "a": base64.b64encode(b"1").decode(),
        "b": "%%",
        "c": base64.b64encode(b"\xff").decode(),
        "d": base64.b64encode(b"old").decode(),
    }
    one = Secret(metadata=ObjectMeta(name="one"), data=encoded, string_data={"d": "new"})
    assert secret_texts(one) == {"a": "1", "d": "new"}


def test_the_environment_fills_families_that_are_empty_and_mixes_none() -> None:
    given = Credentials({"AWS_ACCESS_KEY_ID": "given"})
    environ = {
        "AWS_SESSION_TOKEN": "shell",
        "HF_TOKEN": "shell",
        "GOOGLE_APPLICATION_CREDENTIALS": "/key.json",
        "EMPTY": "",
        "PATH": "/bin",
    }
    assert dict(completed(given, from_environment(environ)).env) == {
        "AWS_ACCESS_KEY_ID": "given",
        "HF_TOKEN": "shell",
        "GOOGLE_APPLICATION_CREDENTIALS": "/key.json",
    }


def test_a_family_alone() -> None:
    both = Credentials({**KEYS, "h.test-headers": "{}"}, google_key="{}")
    assert dict(both.only(Family.S3).env) == KEYS
    assert both.only(Family.S3).google_key is None
    assert dict(both.only(Family.WEB).env) == {"h.test-headers": "{}"}
    assert both.only(Family.GOOGLE).google_key == "{}"


def test_nothing_of_it_is_shown() -> None:
    shown = Credentials({**KEYS, "h-headers": '{"A": "tok3n"}'}, google_key='{"private_key": "PK"}')
    assert "s3cret" not in repr(shown)
    assert "AKID" not in repr(shown)
    told = "AKID s3cret tok3n in eu-west-1"
    assert shown.scrub(told) == "*** *** *** in eu-west-1"


def test_equal_credentials_have_one_fingerprint() -> None:
    one, same = Credentials({"a": "1", "b": "2"}), Credentials({"b": "2", "a": "1"})
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != Credentials({"a": "1", "b": "3"}).fingerprint
