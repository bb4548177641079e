"""NVIDIA's client with a tensor of every datatype: `python ... HOST:PORT GRAPH PREFIX`.

Asks a graph that answers what it is asked, with PREFIX before the names; inputs and outputs in
binary and in JSON. Prints the number of answers, and each that was not exact or in another form
than asked for, as JSON.
"""

import json
import sys

import numpy
from tritonclient import http

TENSORS = {
    "BOOL": numpy.array([[True], [False]]),
    "UINT8": numpy.array([0, 255], numpy.uint8),
    "UINT16": numpy.array([0, 65535], numpy.uint16),
    "UINT32": numpy.array([0, 2**32 - 1], numpy.uint32),
    "UINT64": numpy.array([0, 2**64 - 1], numpy.uint64),
    "INT8": numpy.array([-128, 127], numpy.int8),
    "INT16": numpy.array([-(2**15), 2**15 - 1], numpy.int16),
    "INT32": numpy.array([-(2**31), 2**31 - 1], numpy.int32),
    "INT64": numpy.array([-(2**63), 2**63 - 1], numpy.int64),
    "FP16": numpy.array([1.5, -65504], numpy.float16),
    "FP32": numpy.array([0.1, -1e30, 1e-45], numpy.float32),
    "FP64": numpy.array([0.1, 5e-324, -0.0]),
    "BYTES": numpy.array(["a", "ü", ""], dtype=object),
}


def main(address: str, graph: str, prefix: str) -> dict[str, object]:
    wrong: list[list[str]] = []
    count = 0
    with http.InferenceServerClient(f"{address}/graphs/test/{graph}") as client:
        for datatype, tensor in TENSORS.items():
            for given in (True, False):
                for wanted in (True, False):
                    if datatype == "FP16" and not (given and wanted):
                        continue  # neither this client nor KServe's server has FP16 in JSON
                    count += 1
                    row = [datatype, f"binary in {given}, out {wanted}"]
                    asked = http.InferInput("x", tensor.shape, datatype)
                    asked.set_data_from_numpy(tensor, binary_data=given)
                    output = prefix + "x"
                    wish = http.InferRequestedOutput(output, binary_data=wanted)
                    # A chain gives the first step's wishes to the first step alone.
                    wishes = [wish] if wanted is False or prefix == "out-" else None
                    try:
                        answer = client.infer(graph, [asked], outputs=wishes)
                        found = answer.as_numpy(output)
                        if datatype == "BYTES" and wanted:
                            found = numpy.array([each.decode() for each in found], dtype=object)
                        parameters = answer.get_output(output).get("parameters") or {}
                        if found.shape != tensor.shape or found.tolist() != tensor.tolist():
                            wrong.append([*row, str(found)])
                        if ("binary_data_size" in parameters) is not wanted:
                            wrong.append([*row, str(answer.get_response())])
                    except Exception as error:
                        wrong.append([*row, f"{error!r}: {error}"])
    return {"answers": count, "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
