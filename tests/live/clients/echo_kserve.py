"""A model of the KServe SDK that answers what it is asked, with `out-` before the names."""

import kserve
from kserve import InferOutput, InferRequest, InferResponse, Model


class Echo(Model):
    def __init__(self) -> None:
        super().__init__("echo")
        self.ready = True

    def predict(self, payload: InferRequest, headers: object = None) -> InferResponse:
        outputs = []
        for each in payload.inputs:
            output = InferOutput(f"out-{each.name}", list(each.shape), each.datatype)
            output.set_data_from_numpy(each.as_numpy())
            outputs.append(output)
        return InferResponse(
            payload.id or "",
            "echo",
            outputs,
            requested_outputs=payload.request_outputs,
            use_binary_outputs=payload.use_binary_outputs,
        )


if __name__ == "__main__":
    kserve.ModelServer().start([Echo()])
