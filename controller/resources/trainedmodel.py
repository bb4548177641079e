"""TrainedModel (serving.kserve.io/v1alpha1): one of the models of an InferenceService that serves
many.
"""

from typing import Literal

from pydantic import StrictStr

from controller.resources.model import Model, Quantity
from controller.resources.resource import Addressable, Resource, Status


class TrainedModelModelSpec(Model):
    storage_uri: StrictStr
    framework: StrictStr
    memory: Quantity


class TrainedModelSpec(Model):
    inference_service: StrictStr
    model: TrainedModelModelSpec


class TrainedModelStatus(Status):
    url: StrictStr | None = None
    address: Addressable | None = None


class TrainedModel(Resource):
    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    kind: Literal["TrainedModel"] = "TrainedModel"
    spec: TrainedModelSpec
    status: TrainedModelStatus | None = None
