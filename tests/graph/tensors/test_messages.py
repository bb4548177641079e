"""The table of messages, held against bytes that Triton's client (2.73) writes."""

import pytest

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from google.protobuf import descriptor_pb2

from graph.tensors import messages

REQUEST = (
    "0a016d1201311a013722080a017012031a01762a1e0a01781204465033321a02010122070a016b"
    "120208012a0632040000803f32130a0179120e0a0173120921000000000000e03f3a040000803f"
)
STREAMED = (
    "0a016512360a016d1a013722100a0175120b28808080808080808080012a150a0179120542595445"
    "531a01022a064201614201ff32050100000061"
)
METADATA = (
    "0a016d1201311a017022160a01781204465033321a0bffffffffffffffffff01042a160a01791205"
    "494e5436341a0affffffffffffffffff01"
)


def request() -> messages.Message:
    made = messages.ModelInferRequest(
        model_name="m", model_version="1", id="7", raw_input_contents=[b"\0\0\x80?"]
    )
    tensor = made.inputs.add(name="x", datatype="FP32", shape=[1, 1])
    tensor.parameters["k"].bool_param = True
    tensor.contents.fp32_contents.append(1.0)
    made.outputs.add(name="y").parameters["s"].double_param = 0.5
    made.parameters["p"].string_param = "v"
    return made


def streamed() -> messages.Message:
    made = messages.ModelStreamInferResponse(error_message="e")
    answer = made.infer_response
    answer.model_name, answer.id = "m", "7"
    output = answer.outputs.add(name="y", datatype="BYTES", shape=[2])
    output.contents.bytes_contents.extend([b"a", b"\xff"])
    answer.raw_output_contents.append(b"\1\0\0\0a")
    answer.parameters["u"].uint64_param = 2**63
    return made


def metadata() -> messages.Message:
    made = messages.ModelMetadataResponse(name="m", versions=["1"], platform="p")
    made.inputs.add(name="x", datatype="FP32", shape=[-1, 4])
    made.outputs.add(name="y", datatype="INT64", shape=[-1])
    return made


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(request(), REQUEST, id="a request with every field"),
        pytest.param(streamed(), STREAMED, id="an answer of a stream"),
        pytest.param(metadata(), METADATA, id="metadata with dimensions of any size"),
    ],
)
def test_messages_have_the_bytes_that_other_implementations_write(
    made: messages.Message, expected: str
) -> None:
    assert made.SerializeToString(deterministic=True).hex() == expected
    assert type(made).FromString(bytes.fromhex(expected)) == made


def test_the_service_has_the_methods_of_the_protocol() -> None:
    assert [
        (name, method.input_type.name, method.output_type.name)
        for name, method in messages.METHODS.items()
    ] == [
        ("ServerLive", "ServerLiveRequest", "ServerLiveResponse"),
        ("ServerReady", "ServerReadyRequest", "ServerReadyResponse"),
        ("ModelReady", "ModelReadyRequest", "ModelReadyResponse"),
        ("ServerMetadata", "ServerMetadataRequest", "ServerMetadataResponse"),
        ("ModelMetadata", "ModelMetadataRequest", "ModelMetadataResponse"),
        ("ModelInfer", "ModelInferRequest", "ModelInferResponse"),
        ("ModelStreamInfer", "ModelInferRequest", "ModelStreamInferResponse"),
    ]
    assert messages.METHODS["ModelStreamInfer"].client_streaming
    assert messages.METHODS["ModelStreamInfer"].server_streaming
    assert not messages.METHODS["ModelInfer"].server_streaming


def test_reflection_gets_a_file_that_another_pool_can_build() -> None:
    copy = descriptor_pb2.FileDescriptorProto.FromString(messages.FILE.serialized_pb)
    assert copy.package == "inference"
    assert [service.name for service in copy.service] == ["GRPCInferenceService"]
    assert f"{copy.package}.{copy.service[0].name}" == messages.SERVICE
