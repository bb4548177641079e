"""Kubernetes' own kinds that say who may read a model: Secret, ServiceAccount, and ConfigMap."""

from typing import Literal

from controller.resources.core import ConfigMapFields, SecretFields, ServiceAccountFields
from controller.resources.resource import Resource


class Secret(Resource, SecretFields):
    api_version: Literal["v1"] = "v1"
    kind: Literal["Secret"] = "Secret"


class ServiceAccount(Resource, ServiceAccountFields):
    api_version: Literal["v1"] = "v1"
    kind: Literal["ServiceAccount"] = "ServiceAccount"


class ConfigMap(Resource, ConfigMapFields):
    api_version: Literal["v1"] = "v1"
    kind: Literal["ConfigMap"] = "ConfigMap"
