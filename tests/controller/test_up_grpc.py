"""A service whose runtime speaks gRPC only, by `graphway up`: callers of REST reach it."""

import sys
from pathlib import Path

import aiohttp

from tests.controller.test_up import PROJECT, up
from tests.kit.eventually import eventually

SERVER = """
import os
import sys

sys.path.insert(0, {project!r})
import grpc
from concurrent import futures
from graph.tensors.messages import CLASSES

Request, Response = CLASSES["ModelInferRequest"], CLASSES["ModelInferResponse"]


def infer(message, context):
    request = Request.FromString(message)
    answer = Response(model_name=request.model_name)
    answer.outputs.add(name="y", datatype="INT64", shape=[1]).contents.int64_contents.append(7)
    return answer.SerializeToString()


method = grpc.unary_unary_rpc_method_handler(infer)
handler = grpc.method_handlers_generic_handler(
    "inference.GRPCInferenceService", {"ModelInfer": method}
)
server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((handler,))
server.add_insecure_port("127.0.0.1:" + os.environ["PORT_GRPC"])
server.start()
server.wait_for_termination()
"""

MANIFEST = """
apiVersion: serving.kserve.io/v1alpha1
kind: ServingRuntime
metadata: {{name: sevens}}
spec:
  supportedModelFormats: [{{name: seven, autoSelect: true}}]
  protocolVersions: [grpc-v2]
  containers:
  - name: kserve-container
    command: ["{python}", "{folder}/server.py"]
    ports: [{{containerPort: 8080}}, {{name: grpc, containerPort: 9000}}]
    readinessProbe: {{tcpSocket: {{port: grpc}}, periodSeconds: 1}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: seven}}
spec:
  predictor:
    model: {{modelFormat: {{name: seven}}, protocolVersion: grpc-v2, storageUri: ./model}}
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: g}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{serviceName: seven}}]}}}}}}
"""


async def test_a_runtime_that_speaks_grpc(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER.replace("{project!r}", repr(str(PROJECT))))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("7")
    manifest = MANIFEST.format(python=sys.executable, folder=tmp_path)
    (tmp_path / "all.yaml").write_text(manifest)
    async with up(tmp_path) as running:
        await eventually(lambda: running.url, "the service is ready", 30)
        tensor = {"name": "x", "datatype": "INT64", "shape": [1], "data": [1]}
        async with (
            aiohttp.ClientSession() as session,
            session.post(running.url, json={"inputs": [tensor]}) as answer,
        ):
            said = await answer.json(content_type=None)
            assert answer.status == 200, said
        (output,) = said["outputs"]
        assert (said["model_name"], output["data"]) == ("seven", [7])
