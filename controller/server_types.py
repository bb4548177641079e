"""What kind of server a runtime is: KServe gives some of them defaults of their own. Pure.

The runtime says it by an annotation; those that KServe shipped before there was one are known by
name.
"""

from controller.resources.annotations import SERVER_TYPE
from controller.resources.servingruntime import AnyServingRuntime

HUGGING_FACE = "huggingfaceserver"
MLSERVER = "mlserver"
TENSORFLOW = "tensorflow-serving"
TORCHSERVE = "torchserve"
TRITON = "tritonserver"
VLLM = "vllmserver"

_BY_NAME = {
    f"kserve-{known}": known
    for known in (HUGGING_FACE, MLSERVER, TENSORFLOW, TORCHSERVE, TRITON, VLLM)
}
_PROTOCOLS = {MLSERVER: "v2", TORCHSERVE: "v1", TRITON: "v2"}


def server_type(runtime: AnyServingRuntime) -> str:
    return runtime.metadata.annotations.get(SERVER_TYPE) or _BY_NAME.get(runtime.name, "")


def default_protocol(runtime: AnyServingRuntime) -> str | None:
    """Of a service that names the runtime and no protocol."""
    return _PROTOCOLS.get(server_type(runtime))
