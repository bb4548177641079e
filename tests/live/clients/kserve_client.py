"""KServe's own client, as its users write it: `python ... URL V1 V2 BINARY`, names of graphs.

It prints as JSON what it heard. BINARY is a graph that takes tensors behind the JSON, too.
"""

import asyncio
import json
import sys
from typing import Any

import numpy
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]


async def predict(url: str, graph: str) -> dict[str, Any]:
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    given = {"instances": FLOWERS}
    below = f"{url}/graphs/default/{graph}"
    said = {
        "ready": await client.is_model_ready(url, graph),
        "by model": await client.infer(url, given, model_name=graph),
        "by path": await client.infer(below, given, model_name=graph),
        "as a graph": await client.infer(below, given, is_graph_endpoint=True),
    }
    await client.close()
    return said


async def infer(url: str, graph: str, *, binary: bool) -> dict[str, Any]:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    tensor = InferInput("flowers", [2, 4], "FP64")
    tensor.set_data_from_numpy(numpy.array(FLOWERS), binary_data=binary)
    request = InferRequest(graph, [tensor], request_id="mine")
    by_model = await client.infer(url, request, model_name=graph)
    by_path = await client.infer(f"{url}/graphs/default/{graph}", request, model_name=graph)
    said = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url),
        "model ready": await client.is_model_ready(url, graph),
        "by model": by_model.outputs[0].as_numpy().ravel().tolist(),
        "by path": by_path.outputs[0].as_numpy().ravel().tolist(),
        "id": by_model.id,
    }
    await client.close()
    return said


async def main(url: str, v1: str, v2: str, binary: str) -> dict[str, Any]:
    return {
        "v1": await predict(url, v1),
        "v2": await infer(url, v2, binary=False),
        "binary": await infer(url, binary, binary=True),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
