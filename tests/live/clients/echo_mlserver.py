"""A model of MLServer that answers what it is asked, with `out-` before the names."""

from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Echo(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        outputs = [
            ResponseOutput(
                name=f"out-{each.name}",
                shape=each.shape,
                datatype=each.datatype,
                data=each.data,
                parameters=each.parameters,
            )
            for each in payload.inputs
        ]
        return InferenceResponse(model_name=self.name, id=payload.id, outputs=outputs)
