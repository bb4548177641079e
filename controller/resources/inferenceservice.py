"""InferenceService (serving.kserve.io/v1beta1): a model, and what serves it.

Three ways to say it: a framework key (`sklearn:`), `model:` with a format, or containers of one's
own. The first is only an older spelling of the second; `model_of` reads both.
"""

from typing import Literal

from pydantic import Field, StrictBool, StrictStr

from controller.resources.component import ComponentSpec
from controller.resources.containers import env_value
from controller.resources.core import Container, PodSpec
from controller.resources.inferenceservice_status import InferenceServiceStatus
from controller.resources.model import Int64, Model, Percent
from controller.resources.resource import Resource

# In the order in which KServe looks for them.
FRAMEWORKS = (
    "sklearn",
    "tensorflow",
    "xgboost",
    "pytorch",
    "triton",
    "onnx",
    "huggingface",
    "pmml",
    "lightgbm",
    "paddle",
)
V2_FRAMEWORKS = frozenset(
    {"triton", "onnx", "huggingface"}
)  # v2 unless the manifest says otherwise


class StorageSpec(Model):
    key: StrictStr | None = None
    path: StrictStr | None = None
    parameters: dict[str, StrictStr] = Field(default_factory=dict)
    schema_path: StrictStr | None = None


class ConfidentialSpec(Model):
    enabled: StrictBool
    resource_id: StrictStr | None = None


class PredictorExtensionSpec(Container):
    """A framework key: a model's place, and changes to the container that will serve it."""

    storage_uri: StrictStr | None = None
    runtime_version: StrictStr | None = None
    protocol_version: StrictStr | None = None
    storage: StorageSpec | None = None
    confidential: ConfidentialSpec | None = None


# KServe's SDK has a class for each; they all say the same.
SKLearnSpec = PredictorExtensionSpec
TFServingSpec = PredictorExtensionSpec
XGBoostSpec = PredictorExtensionSpec
TorchServeSpec = PredictorExtensionSpec
TritonSpec = PredictorExtensionSpec
ONNXRuntimeSpec = PredictorExtensionSpec
HuggingFaceRuntimeSpec = PredictorExtensionSpec
PMMLSpec = PredictorExtensionSpec
LightGBMSpec = PredictorExtensionSpec
PaddleServerSpec = PredictorExtensionSpec


class ModelFormat(Model):
    name: StrictStr
    version: StrictStr | None = None


class ModelSpec(PredictorExtensionSpec):
    # Admission asks for one; KServe's schema does not.
    model_format: ModelFormat = ModelFormat(name="")
    runtime: StrictStr | None = None


class WorkerSpec(PodSpec):
    """The other nodes of a model that runs on several."""

    pipeline_parallel_size: Int64 | None = None
    tensor_parallel_size: Int64 | None = None


class PredictorSpec(ComponentSpec):
    name: StrictStr | None = Field(default=None, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
    model: ModelSpec | None = None
    sklearn: SKLearnSpec | None = None
    tensorflow: TFServingSpec | None = None
    xgboost: XGBoostSpec | None = None
    pytorch: TorchServeSpec | None = None
    triton: TritonSpec | None = None
    onnx: ONNXRuntimeSpec | None = None
    huggingface: HuggingFaceRuntimeSpec | None = None
    pmml: PMMLSpec | None = None
    lightgbm: LightGBMSpec | None = None
    paddle: PaddleServerSpec | None = None
    worker_spec: WorkerSpec | None = None
    storage_container_name: StrictStr | None = None

    def frameworks(self) -> dict[str, PredictorExtensionSpec]:
        given = {name: getattr(self, name) for name in FRAMEWORKS}
        return {name: value for name, value in given.items() if value is not None}


class TransformerSpec(ComponentSpec):
    """Containers of one's own; nothing else transforms."""


class ARTExplainerSpec(Container):
    type: StrictStr | None = None
    storage_uri: StrictStr | None = None
    runtime_version: StrictStr | None = None
    config: dict[str, StrictStr] = Field(default_factory=dict)
    storage: StorageSpec | None = None


class ExplainerSpec(ComponentSpec):
    art: ARTExplainerSpec | None = None


class CanarySpec(Model):
    predictor: PredictorSpec
    traffic_percent: Percent


class InferenceServiceSpec(Model):
    predictor: PredictorSpec
    transformer: TransformerSpec | None = None
    explainer: ExplainerSpec | None = None
    canary: tuple[CanarySpec, ...] = ()


class InferenceService(Resource):
    api_version: Literal["serving.kserve.io/v1beta1"] = "serving.kserve.io/v1beta1"
    kind: Literal["InferenceService"] = "InferenceService"
    spec: InferenceServiceSpec
    status: InferenceServiceStatus | None = None


def model_of(predictor: PredictorSpec) -> ModelSpec | None:
    """The model as `model:` would have it; None if the predictor has containers of its own."""
    if predictor.model is not None:
        return predictor.model
    for framework, given in predictor.frameworks().items():
        said = {name: getattr(given, name) for name in given.model_fields_set}
        protocol = "v2" if framework in V2_FRAMEWORKS else None
        if given.protocol_version is None and protocol is not None:
            said["protocol_version"] = protocol
        return ModelSpec(model_format=ModelFormat(name=framework), **said)
    return None


def serves_many(predictor: PredictorSpec) -> bool:
    """Its server loads and unloads models as it is told: KServe's rule."""
    model = model_of(predictor)
    if model is None:
        container = predictor.containers[0] if predictor.containers else None
        return container is not None and env_value(container, "MULTI_MODEL_SERVER") == "true"
    return not has_storage(predictor, model) and model.model_format.name != "huggingface"


def has_storage(predictor: PredictorSpec, model: ModelSpec) -> bool:
    return bool(model.storage_uri or model.storage or predictor.storage_uris)
