"""The annotations and labels that mean something, by name."""

from controller.resources.core import ObjectMeta

_SERVING = "serving.kserve.io"
_INTERNAL = "internal.serving.kserve.io"

DEPLOYMENT_MODE = f"{_SERVING}/deploymentMode"
STOP = f"{_SERVING}/stop"
AUTOSCALER_CLASS = f"{_SERVING}/autoscalerClass"
DISABLE_AUTO_UPDATE = f"{_SERVING}/disable-auto-update"
DISABLE_LOCAL_MODEL = f"{_SERVING}/disable-localmodel"
NODE_GROUP = f"{_SERVING}/nodegroup"
GPU_RESOURCE_TYPES = f"{_SERVING}/gpu-resource-types"
SERVER_TYPE = f"{_SERVING}/server-type"
KNATIVE_AUTOSCALER_CLASS = "autoscaling.knative.dev/class"
MODEL_FORMAT = "modelFormat"
EXPLAINER_RUNTIME = "graphway.dev/explainer-runtime"

LOCAL_MODEL = f"{_INTERNAL}/localmodel"
LOCAL_MODEL_NAMESPACE = f"{_INTERNAL}/localmodel-namespace"
LOCAL_MODEL_SOURCE = f"{_INTERNAL}/localmodel-sourceuri"
LOCAL_MODEL_PVC = f"{_INTERNAL}/localmodel-pvc-name"

STANDARD, KNATIVE, MODEL_MESH = "Standard", "Knative", "ModelMesh"
OLDER_MODES = {"RawDeployment": STANDARD, "Serverless": KNATIVE}


def mode_of(metadata: ObjectMeta, default: str | None = None) -> str | None:
    """How it is deployed; None if that depends on a cluster that nobody told of."""
    given = metadata.annotations.get(DEPLOYMENT_MODE, default)
    return OLDER_MODES.get(given, given) if given is not None else None
