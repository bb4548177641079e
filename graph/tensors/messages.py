"""The messages of the Open Inference Protocol's gRPC service, `inference.GRPCInferenceService`.

Written down as a table and built when this module is imported: no generated code, no compiler at
hand. They live in a pool of their own, so that another library's copy of the same names (a Triton
client in one process with us) is no clash. Only this module imports protobuf (the extra `grpc`).

Parsing a whole ModelInfer message with these classes copies its tensors; `graph.tensors.grpc` cuts
the raw contents out before. MLServer's ModelStreamInfer answers plain ModelInferResponse messages
where Triton's, and so this table, wraps them in ModelStreamInferResponse.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

__all__ = ["CLASSES", "FILE", "FILE_PROTO", "METHODS", "SERVICE", "DecodeError", "Message"]

PACKAGE: Final = "inference"
SERVICE: Final = f"{PACKAGE}.GRPCInferenceService"

_NAMED = "1 string name; 2 string version"
# `map` is map<string, InferParameter>, as all maps here are.
_TENSOR = "1 string name; 2 string datatype; 3 repeated int64 shape"
_WITH_CONTENTS = f"{_TENSOR}; 4 map parameters; 5 InferTensorContents contents"

_MESSAGES: Final[dict[str, str]] = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "1 bool live",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "1 bool ready",
    "ModelReadyRequest": _NAMED,
    "ModelReadyResponse": "1 bool ready",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": f"{_NAMED}; 3 repeated string extensions",
    "ModelMetadataRequest": _NAMED,
    "ModelMetadataResponse": (
        "1 string name; 2 repeated string versions; 3 string platform; "
        "4 repeated ModelMetadataResponse.TensorMetadata inputs; "
        "5 repeated ModelMetadataResponse.TensorMetadata outputs"
    ),
    "ModelMetadataResponse.TensorMetadata": _TENSOR,
    "InferParameter": (
        "1 bool bool_param; 2 int64 int64_param; 3 string string_param; "
        "4 double double_param; 5 uint64 uint64_param"
    ),
    "InferTensorContents": (
        "1 repeated bool bool_contents; 2 repeated int32 int_contents; "
        "3 repeated int64 int64_contents; 4 repeated uint32 uint_contents; "
        "5 repeated uint64 uint64_contents; 6 repeated float fp32_contents; "
        "7 repeated double fp64_contents; 8 repeated bytes bytes_contents"
    ),
    "ModelInferRequest": (
        "1 string model_name; 2 string model_version; 3 string id; 4 map parameters; "
        "5 repeated ModelInferRequest.InferInputTensor inputs; "
        "6 repeated ModelInferRequest.InferRequestedOutputTensor outputs; "
        "7 repeated bytes raw_input_contents"
    ),
    "ModelInferRequest.InferInputTensor": _WITH_CONTENTS,
    "ModelInferRequest.InferRequestedOutputTensor": "1 string name; 2 map parameters",
    "ModelInferResponse": (
        "1 string model_name; 2 string model_version; 3 string id; 4 map parameters; "
        "5 repeated ModelInferResponse.InferOutputTensor outputs; "
        "6 repeated bytes raw_output_contents"
    ),
    "ModelInferResponse.InferOutputTensor": _WITH_CONTENTS,
    "ModelStreamInferResponse": "1 string error_message; 2 ModelInferResponse infer_response",
}
_ONEOF: Final = {"InferParameter": "parameter_choice"}  # all fields of that message
_STREAMING: Final = {"ModelStreamInfer"}  # both ways
_METHODS: Final = {  # name: request, answer
    **{
        name: (f"{name}Request", f"{name}Response")
        for name in (
            "ServerLive",
            "ServerReady",
            "ModelReady",
            "ServerMetadata",
            "ModelMetadata",
            "ModelInfer",
        )
    },
    "ModelStreamInfer": ("ModelInferRequest", "ModelStreamInferResponse"),
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="open_inference_grpc.proto", package=PACKAGE, syntax="proto3"
    )
    for path, fields in _MESSAGES.items():
        outer, _, inner = path.partition(".")
        if inner:
            holder = next(message for message in file.message_type if message.name == outer)
            _fill(holder.nested_type.add(name=inner), path, fields)
        else:
            _fill(file.message_type.add(name=outer), path, fields)
    service = file.service.add(name=SERVICE.removeprefix(f"{PACKAGE}."))
    for name, (request, answer) in _METHODS.items():
        service.method.add(
            name=name,
            input_type=f".{PACKAGE}.{request}",
            output_type=f".{PACKAGE}.{answer}",
            client_streaming=name in _STREAMING,
            server_streaming=name in _STREAMING,
        )
    return file


def _fill(message: descriptor_pb2.DescriptorProto, path: str, fields: str) -> None:
    if path in _ONEOF:
        message.oneof_decl.add(name=_ONEOF[path])
    for line in filter(None, fields.split("; ")):
        number, *repeated, kind, name = line.split()
        field = message.field.add(name=name, number=int(number))
        field.label = field.LABEL_REPEATED if repeated or kind == "map" else field.LABEL_OPTIONAL
        if kind == "map":
            entry = message.nested_type.add(name="ParametersEntry")
            entry.options.map_entry = True
            _fill(entry, f"{path}.ParametersEntry", "1 string key; 2 InferParameter value")
            kind = f"{path}.ParametersEntry"
        if kind[0].isupper():
            field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
        else:
            field.type = field.Type.Value(f"TYPE_{kind.upper()}")
        if path in _ONEOF:
            field.oneof_index = 0


FILE_PROTO: Final = _file()
_pool = descriptor_pool.DescriptorPool()
_pool.Add(FILE_PROTO)
FILE: Final[FileDescriptor] = _pool.FindFileByName(FILE_PROTO.name)

CLASSES: Final[dict[str, type[Any]]] = {
    name: message_factory.GetMessageClass(descriptor)
    for name, descriptor in FILE.message_types_by_name.items()
}
_service: ServiceDescriptor = FILE.services_by_name[SERVICE.removeprefix(f"{PACKAGE}.")]
METHODS: Final[dict[str, MethodDescriptor]] = dict(_service.methods_by_name)

InferParameter = CLASSES["InferParameter"]
InferTensorContents = CLASSES["InferTensorContents"]
ModelInferRequest = CLASSES["ModelInferRequest"]
ModelInferResponse = CLASSES["ModelInferResponse"]
ModelMetadataRequest = CLASSES["ModelMetadataRequest"]
ModelMetadataResponse = CLASSES["ModelMetadataResponse"]
ModelReadyRequest = CLASSES["ModelReadyRequest"]
ModelReadyResponse = CLASSES["ModelReadyResponse"]
ModelStreamInferResponse = CLASSES["ModelStreamInferResponse"]
ServerLiveRequest = CLASSES["ServerLiveRequest"]
ServerLiveResponse = CLASSES["ServerLiveResponse"]
ServerMetadataRequest = CLASSES["ServerMetadataRequest"]
ServerMetadataResponse = CLASSES["ServerMetadataResponse"]
ServerReadyRequest = CLASSES["ServerReadyRequest"]
ServerReadyResponse = CLASSES["ServerReadyResponse"]
