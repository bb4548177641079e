"""NVIDIA's client over HTTP, as its users write it: `python ... HOST:PORT GRAPH OUTPUT...`.

It asks for OUTPUT as JSON and as tensors behind it, and prints as JSON what it heard.
"""

import json
import sys
from typing import Any

import numpy
from tritonclient import http
from tritonclient.utils import InferenceServerException

FLOWERS = numpy.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])


def main(address: str, graph: str, output: str) -> dict[str, Any]:
    with http.InferenceServerClient(address) as client:
        said: dict[str, Any] = {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model ready": client.is_model_ready(graph),
            "nobody ready": client.is_model_ready("nobody"),
            "server": client.get_server_metadata(),
            "model": client.get_model_metadata(graph),
        }
        for binary in (False, True):
            tensor = http.InferInput("flowers", [2, 4], "FP64")
            tensor.set_data_from_numpy(FLOWERS, binary_data=binary)
            wanted = http.InferRequestedOutput(output, binary_data=binary)
            answer = client.infer(graph, [tensor], outputs=[wanted], request_id="mine")
            heard = answer.as_numpy(output).ravel().tolist()
            said["binary" if binary else "JSON"] = [answer.get_response()["id"], heard]
        try:
            client.infer("nobody", [tensor])
        except InferenceServerException as error:
            said["nobody"] = [error.status(), error.message()]
    return said


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
