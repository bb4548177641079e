"""What KServe adds for servers of some types once a runtime is chosen. Pure.

They are told of their model by environment, arguments, or labels that the runtime's placeholders
ask for. What the service says itself stays.
"""

from controller import server_types
from controller.resources.component import MODEL_MOUNT
from controller.resources.core import EnvVar, ObjectMeta
from controller.resources.inferenceservice import ModelSpec

MLSERVER_CLASSES = {
    "lightgbm": "mlserver_lightgbm.LightGBMModel",
    "mlflow": "mlserver_mlflow.MLflowRuntime",
    "sklearn": "mlserver_sklearn.SKLearnModel",
    "xgboost": "mlserver_xgboost.XGBoostModel",
}


def with_defaults(
    meta: ObjectMeta, model: ModelSpec, server_type: str, protocol: str, has_model: bool
) -> tuple[ObjectMeta, ModelSpec]:
    """`has_model`: it names one; a server without waits to be told."""
    kind = model.model_format.name
    meta = meta.model_copy(update={"annotations": {"modelFormat": kind} | meta.annotations})
    match server_type:
        case server_types.MLSERVER:
            said = {"MLSERVER_LOAD_MODELS_AT_STARTUP": "false"}
            if has_model:
                said = {"MLSERVER_MODEL_NAME": meta.name, "MLSERVER_MODEL_URI": MODEL_MOUNT}
            known = MLSERVER_CLASSES.get(kind, MLSERVER_CLASSES["sklearn"])
            return _labelled(meta, "modelClass", known), _told(model, said)
        case server_types.TORCHSERVE:
            envelope = "kservev2" if protocol in ("v2", "grpc-v2") else "kserve"
            said = {"PROTOCOL_VERSION": protocol}
            return _labelled(meta, "serviceEnvelope", envelope), _told(model, said)
        case server_types.TRITON if not has_model:
            flag = "--model-control-mode"
            if not any(word.startswith(flag) for word in model.args):
                args = (*model.args, f"{flag}=explicit")
                return meta, model.model_copy(update={"args": args})
    return meta, model


def _labelled(meta: ObjectMeta, name: str, value: str) -> ObjectMeta:
    return meta.model_copy(update={"labels": {name: value} | meta.labels})


def _told(model: ModelSpec, said: dict[str, str]) -> ModelSpec:
    given = {item.name for item in model.env}
    more = tuple(EnvVar(name=n, value=v) for n, v in said.items() if n not in given)
    return model.model_copy(update={"env": (*model.env, *more)})
