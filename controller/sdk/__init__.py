"""What a Python program needs of Graphway: resources as typed objects, and a client for them.

    from controller.sdk import Client, InferenceService, ...

Classes are named as in KServe's SDK, without the version before the name; attributes are in
snake_case, manifests (`to_yaml`) in camelCase. All are frozen and check what they are given.
"""

from controller.client.find import NoServer
from controller.client.origin import Unreachable
from controller.resources.component import (
    AutoScalingSpec,
    Batcher,
    ComponentExtensionSpec,
    LoggerSpec,
    MetricsSpec,
    StorageUri,
)
from controller.resources.core import (
    Container,
    ContainerPort,
    EnvVar,
    EnvVarSource,
    ObjectMeta,
    PodSpec,
    Probe,
    ResourceRequirements,
    SecretKeySelector,
    Toleration,
    Volume,
    VolumeMount,
)
from controller.resources.credentials import ConfigMap, Secret, ServiceAccount
from controller.resources.inferenceservice import (
    ARTExplainerSpec,
    CanarySpec,
    ExplainerSpec,
    HuggingFaceRuntimeSpec,
    InferenceService,
    InferenceServiceSpec,
    LightGBMSpec,
    ModelFormat,
    ModelSpec,
    ONNXRuntimeSpec,
    PaddleServerSpec,
    PMMLSpec,
    PredictorExtensionSpec,
    PredictorSpec,
    SKLearnSpec,
    StorageSpec,
    TFServingSpec,
    TorchServeSpec,
    TransformerSpec,
    TritonSpec,
    WorkerSpec,
    XGBoostSpec,
)
from controller.resources.inferenceservice_status import InferenceServiceStatus, ModelStatus
from controller.resources.localmodel import (
    LocalModelCache,
    LocalModelCacheSpec,
    LocalModelNamespaceCache,
    LocalModelNode,
    LocalModelNodeGroup,
    LocalModelNodeGroupSpec,
)
from controller.resources.model import dump, to_yaml
from controller.resources.resource import Addressable, Condition
from controller.resources.servingruntime import (
    ClusterServingRuntime,
    ServingRuntime,
    ServingRuntimePodSpec,
    ServingRuntimeSpec,
    SupportedModelFormat,
)
from controller.resources.storagecontainer import (
    ClusterStorageContainer,
    StorageContainer,
    StorageContainerSpec,
    SupportedUriFormat,
)
from controller.resources.trainedmodel import (
    TrainedModel,
    TrainedModelModelSpec,
    TrainedModelSpec,
)
from controller.sdk.client import Client, Event
from controller.sdk.graph import InferenceGraph
from controller.sdk.predict import PredictFailed
from controller.sdk.readiness import NotReady
from controller.store.errors import ApiError
from graph.spec import Dependency as GraphStepDependency
from graph.spec import GraphSpec as InferenceGraphSpec
from graph.spec import GraphStatus as InferenceGraphStatus
from graph.spec import Node as InferenceRouter
from graph.spec import RouterTimeouts as InferenceGraphRouterTimeouts
from graph.spec import RouterType as InferenceRouterType
from graph.spec import Step as InferenceStep

__all__ = [
    "ARTExplainerSpec",
    "Addressable",
    "ApiError",
    "AutoScalingSpec",
    "Batcher",
    "CanarySpec",
    "Client",
    "ClusterServingRuntime",
    "ClusterStorageContainer",
    "ComponentExtensionSpec",
    "Condition",
    "ConfigMap",
    "Container",
    "ContainerPort",
    "EnvVar",
    "EnvVarSource",
    "Event",
    "ExplainerSpec",
    "GraphStepDependency",
    "HuggingFaceRuntimeSpec",
    "InferenceGraph",
    "InferenceGraphRouterTimeouts",
    "InferenceGraphSpec",
    "InferenceGraphStatus",
    "InferenceRouter",
    "InferenceRouterType",
    "InferenceService",
    "InferenceServiceSpec",
    "InferenceServiceStatus",
    "InferenceStep",
    "LightGBMSpec",
    "LocalModelCache",
    "LocalModelCacheSpec",
    "LocalModelNamespaceCache",
    "LocalModelNode",
    "LocalModelNodeGroup",
    "LocalModelNodeGroupSpec",
    "LoggerSpec",
    "MetricsSpec",
    "ModelFormat",
    "ModelSpec",
    "ModelStatus",
    "NoServer",
    "NotReady",
    "ONNXRuntimeSpec",
    "ObjectMeta",
    "PMMLSpec",
    "PaddleServerSpec",
    "PodSpec",
    "PredictFailed",
    "PredictorExtensionSpec",
    "PredictorSpec",
    "Probe",
    "ResourceRequirements",
    "SKLearnSpec",
    "Secret",
    "SecretKeySelector",
    "ServiceAccount",
    "ServingRuntime",
    "ServingRuntimePodSpec",
    "ServingRuntimeSpec",
    "StorageContainer",
    "StorageContainerSpec",
    "StorageSpec",
    "StorageUri",
    "SupportedModelFormat",
    "SupportedUriFormat",
    "TFServingSpec",
    "Toleration",
    "TorchServeSpec",
    "TrainedModel",
    "TrainedModelModelSpec",
    "TrainedModelSpec",
    "TransformerSpec",
    "TritonSpec",
    "Unreachable",
    "Volume",
    "VolumeMount",
    "WorkerSpec",
    "XGBoostSpec",
    "dump",
    "to_yaml",
]
