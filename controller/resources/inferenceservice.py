"""InferenceService (serving.kserve.io/v1beta1): a model, and what serves it.

Three ways to say it: a framework key (`sklearn:`), `model:` with a format, or containers of one's
own. The first is only an older spelling of the second; `model_of` reads both.
"""

from typing import Any

from pydantic import Field, StrictStr

from controller.resources.pods import Container, Metadata, Model

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


class ModelFormat(Model):
    name: StrictStr = Field(min_length=1)
    version: StrictStr | None = None


class PredictorExtension(Container):
    """A framework key: a model's place, and changes to the container that will serve it."""

    storage_uri: StrictStr | None = None
    storage: dict[str, Any] | None = None
    runtime_version: StrictStr | None = None
    protocol_version: StrictStr | None = None


class ModelSpec(PredictorExtension):
    model_format: ModelFormat
    runtime: StrictStr | None = None


class StorageUri(Model):
    uri: StrictStr
    mount_path: StrictStr = "/mnt/models"


class Component(Model):
    """What predictor and transformer share."""

    containers: tuple[Container, ...] = ()
    storage_uris: tuple[StorageUri, ...] = ()


class Predictor(Component):
    name: StrictStr | None = None
    model: ModelSpec | None = None
    worker_spec: dict[str, Any] | None = None
    sklearn: PredictorExtension | None = None
    tensorflow: PredictorExtension | None = None
    xgboost: PredictorExtension | None = None
    pytorch: PredictorExtension | None = None
    triton: PredictorExtension | None = None
    onnx: PredictorExtension | None = None
    huggingface: PredictorExtension | None = None
    pmml: PredictorExtension | None = None
    lightgbm: PredictorExtension | None = None
    paddle: PredictorExtension | None = None

    def frameworks(self) -> dict[str, PredictorExtension]:
        given = {name: getattr(self, name) for name in FRAMEWORKS}
        return {name: value for name, value in given.items() if value is not None}


class InferenceServiceSpec(Model):
    predictor: Predictor
    transformer: Component | None = None


class InferenceService(Model):
    metadata: Metadata
    spec: InferenceServiceSpec


def model_of(predictor: Predictor) -> ModelSpec | None:
    """The model as `model:` would have it; None if the predictor has containers of its own."""
    if predictor.model is not None:
        return predictor.model
    for framework, extension in predictor.frameworks().items():
        protocol = "v2" if framework in V2_FRAMEWORKS else None
        return ModelSpec.model_validate(
            extension.model_dump(by_alias=True, exclude_unset=True)
            | {
                "modelFormat": {"name": framework},
                "protocolVersion": extension.protocol_version or protocol,
            }
        )
    return None


def has_storage(predictor: Predictor, model: ModelSpec) -> bool:
    return bool(model.storage_uri or model.storage or predictor.storage_uris)
