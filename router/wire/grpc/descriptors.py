"""Descriptions of the gRPC services that we serve, for reflection.

Only this part of the front needs protobuf, and only once somebody asks.
"""

from functools import cache

from google.protobuf import descriptor_pb2

from graph.tensors.messages import FILE_PROTO

_HEALTH = {
    "HealthCheckRequest": "1 string service",
    "HealthCheckResponse": "1 enum .grpc.health.v1.HealthCheckResponse.ServingStatus status",
}
_STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_REFLECTION = {
    "ServerReflectionRequest": (
        "1 string host; 3 string file_by_filename; 4 string file_containing_symbol; "
        "5 ExtensionRequest file_containing_extension; "
        "6 string all_extension_numbers_of_type; 7 string list_services"
    ),
    "ExtensionRequest": "1 string containing_type; 2 int32 extension_number",
    "ServerReflectionResponse": (
        "1 string valid_host; 2 ServerReflectionRequest original_request; "
        "4 FileDescriptorResponse file_descriptor_response; "
        "5 ExtensionNumberResponse all_extension_numbers_response; "
        "6 ListServiceResponse list_services_response; 7 ErrorResponse error_response"
    ),
    "FileDescriptorResponse": "1 repeated bytes file_descriptor_proto",
    "ExtensionNumberResponse": "1 string base_type_name; 2 repeated int32 extension_number",
    "ListServiceResponse": "1 repeated ServiceResponse service",
    "ServiceResponse": "1 string name",
    "ErrorResponse": "1 int32 error_code; 2 string error_message",
}
# Fields of which one is given: all but the first ones of the two messages.
_ONE_OF = {"ServerReflectionRequest": 3, "ServerReflectionResponse": 4}

_File = descriptor_pb2.FileDescriptorProto


@cache
def files() -> dict[str, bytes]:
    """Serialized, by name."""
    return {file.name: file.SerializeToString() for file in _files()}


@cache
def symbols() -> dict[str, str]:
    """The name of the file of each service, method and message."""
    found: dict[str, str] = {}
    for file in _files():
        for service in file.service:
            name = f"{file.package}.{service.name}"
            found[name] = file.name
            found.update((f"{name}.{method.name}", file.name) for method in service.method)
        pending = [(file.package, message) for message in file.message_type]
        while pending:
            outer, message = pending.pop()
            name = f"{outer}.{message.name}"
            found[name] = file.name
            found.update((f"{name}.{enum.name}", file.name) for enum in message.enum_type)
            pending += [(name, inner) for inner in message.nested_type]
    return found


def _files() -> list[_File]:
    health = _described("grpc/health/v1/health.proto", "grpc.health.v1", _HEALTH)
    states = health.message_type[1].enum_type.add(name="ServingStatus")
    for value, name in enumerate(_STATES):
        states.value.add(name=name, number=value)
    service = health.service.add(name="Health")
    for name, streams in (("Check", False), ("Watch", True)):
        _method(service, health.package, name, "HealthCheckRequest", "HealthCheckResponse")
        service.method[-1].server_streaming = streams
    reflections = []
    for version in ("v1", "v1alpha"):
        package = f"grpc.reflection.{version}"
        file = _described(f"grpc/reflection/{version}/reflection.proto", package, _REFLECTION)
        service = file.service.add(name="ServerReflection")
        asked, told = "ServerReflectionRequest", "ServerReflectionResponse"
        _method(service, package, "ServerReflectionInfo", asked, told)
        service.method[0].client_streaming = service.method[0].server_streaming = True
        reflections.append(file)
    return [FILE_PROTO, health, *reflections]


def _described(name: str, package: str, messages: dict[str, str]) -> _File:
    file = _File(name=name, package=package, syntax="proto3")
    for title, lines in messages.items():
        message = file.message_type.add(name=title)
        first = _ONE_OF.get(title)
        if first is not None:
            message.oneof_decl.add(name="message_request" if "Request" in title else "answer")
        for line in lines.split("; "):
            number, *labels, kind, field_name = line.split()
            field = message.field.add(name=field_name, number=int(number))
            field.label = field.LABEL_REPEATED if "repeated" in labels else field.LABEL_OPTIONAL
            if "enum" in labels:
                field.type, field.type_name = field.TYPE_ENUM, kind
            elif kind[0].isupper():
                field.type, field.type_name = field.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                field.type = field.Type.Value(f"TYPE_{kind.upper()}")
            if first is not None and field.number >= first:
                field.oneof_index = 0
    return file


def _method(
    service: descriptor_pb2.ServiceDescriptorProto, package: str, name: str, asked: str, told: str
) -> None:
    service.method.add(
        name=name, input_type=f".{package}.{asked}", output_type=f".{package}.{told}"
    )
