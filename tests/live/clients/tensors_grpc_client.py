"""The same over gRPC: `python ... HOST:PORT GRAPH PREFIX`. gRPC has one form of a tensor."""

import json
import sys

import numpy
from tensors_client import TENSORS
from tritonclient import grpc


def main(address: str, graph: str, prefix: str) -> dict[str, object]:
    wrong: list[list[str]] = []
    with grpc.InferenceServerClient(address.removeprefix("http://")) as client:
        for datatype, tensor in TENSORS.items():
            asked = grpc.InferInput("x", tensor.shape, datatype)
            asked.set_data_from_numpy(tensor)
            try:
                answer = client.infer(graph, [asked], request_id="mine")
                found = answer.as_numpy(prefix + "x")
                if datatype == "BYTES":
                    found = numpy.array([each.decode() for each in found], dtype=object)
                if found.shape != tensor.shape or found.tolist() != tensor.tolist():
                    wrong.append([datatype, str(found)])
                if answer.get_response().id != "mine":
                    wrong.append([datatype, str(answer.get_response())])
            except Exception as error:
                wrong.append([datatype, f"{error!r}: {error}"])
    return {"answers": len(TENSORS), "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
