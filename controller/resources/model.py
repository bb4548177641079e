"""What all resources are made of: snake_case in Python, camelCase in YAML, frozen, strict.

Values are never coerced (Kubernetes refuses `value: 1` for text too), unknown keys are refused, and
`null` is the same as no key, as in the API server. `dump` gives back what was said and nothing
else, so a manifest survives a round trip without loss.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


def _whole(value: object) -> object:
    """20.0 is 20: on its way through JSON a cluster loses the difference, so it takes both."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_QUANTITY = re.compile(
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)

Int32 = Annotated[StrictInt, Field(ge=-(2**31), lt=2**31), BeforeValidator(_whole)]
Positive32 = Annotated[StrictInt, Field(ge=1, lt=2**31), BeforeValidator(_whole)]
Percent = Annotated[StrictInt, Field(ge=0, le=100), BeforeValidator(_whole)]
Int64 = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63), BeforeValidator(_whole)]
Time = StrictStr  # RFC 3339, as it was written


def _quantity(value: object) -> object:
    is_number = type(value) is int or isinstance(value, float)
    if is_number or (isinstance(value, str) and _QUANTITY.fullmatch(value)):
        return value
    raise PydanticCustomError("quantity", "a quantity as 1, 500m or 2Gi")


def _int_or_string(value: object) -> object:
    value = _whole(value)
    if type(value) is int or isinstance(value, str):
        return value
    raise PydanticCustomError("int_or_string", "a whole number or text")


_EITHER = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}

QuantityText = Annotated[StrictStr, Field(pattern=_QUANTITY.pattern)]
QuantityTextOrEmpty = Annotated[StrictStr, Field(pattern=rf"^$|{_QUANTITY.pattern}")]
# As they were written: 1, 0.5, "1", 500m, 2Gi, 25%.
Quantity = Annotated[
    int | float | str,
    PlainValidator(_quantity),
    WithJsonSchema(_EITHER | {"pattern": _QUANTITY.pattern}),
]
IntOrString = Annotated[int | str, PlainValidator(_int_or_string), WithJsonSchema(_EITHER)]

_M = TypeVar("_M", bound=BaseModel)
_T = TypeVar("_T")


def _some(values: tuple[_T, ...]) -> tuple[_T, ...]:
    if not values:
        raise PydanticCustomError("too_short", "at least one")
    return values


# Asked only once each of them is sound: pydantic's own bound counts those that are.
NonEmpty = Annotated[
    tuple[_T, ...], AfterValidator(_some), Field(json_schema_extra={"minItems": 1})
]


# The names that are not simply their words put together.
_ODD_NAMES = {
    "ca_certs": "CACerts",
    "custom_gpu_resource_type_list": "customGPUResourceTypeList",
    "dataset_uuid": "datasetUUID",
    "disable_http_route_timeout": "disableHTTPRouteTimeout",
    "disk_uri": "diskURI",
    "downward_api": "downwardAPI",
    "host_ip": "hostIP",
    "host_ipc": "hostIPC",
    "host_pid": "hostPID",
    "job_ttl_seconds_after_finished": "jobTTLSecondsAfterFinished",
    "pd_id": "pdID",
    "s3_access_key_id_name": "s3AccessKeyIDName",
    "s3_ca_bundle": "s3CABundle",
    "s3_ca_bundle_config_map": "s3CABundleConfigMap",
    "s3_verify_ssl": "s3VerifySSL",
    "scale_io": "scaleIO",
    "service_cluster_ip_none": "serviceClusterIPNone",
    "set_hostname_as_fqdn": "setHostnameAsFQDN",
    "storage_policy_id": "storagePolicyID",
    "target_wwns": "targetWWNs",
    "volume_id": "volumeID",
}


def camel(name: str) -> str:
    """Of an attribute: its key in a manifest."""
    return _ODD_NAMES.get(name) or to_camel(name)


class Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=camel,
        populate_by_name=True,
        defer_build=True,  # a process pays for those that it uses
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What was said, of the hundreds of fields that there may be."""
        return (pair for pair in super().__repr_args__() if pair[0] in self.model_fields_set)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if isinstance(data, dict) and None in data.values():
            return {key: value for key, value in data.items() if value is not None}
        return data


def read(model: type[_M], data: object) -> _M:
    """Of what a manifest says; raises pydantic's ValidationError."""
    return model.model_validate(data, by_alias=True, by_name=False)


def dump(resource: BaseModel) -> dict[str, Any]:
    """What was set, as a manifest says it."""
    said = resource.model_dump(mode="json", by_alias=True, exclude_unset=True)
    head = {
        camel(name): getattr(resource, name)
        for name in ("api_version", "kind")
        if name in type(resource).model_fields
    }
    return {**head, **said}


class _Dumper(yaml.CSafeDumper):
    """No anchors: nobody writes manifests with them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def to_yaml(data: dict[str, Any] | BaseModel) -> str:
    given = dump(data) if isinstance(data, BaseModel) else data
    return yaml.dump(given, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
