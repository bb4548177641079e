"""Manifests of every kind, from the few words that a test of validation is about."""

from textwrap import indent

from controller.resources.parse import parse
from controller.resources.resource import Resource
from graph.loader import load

MODEL = "model: {modelFormat: {name: sklearn}, storageUri: s3://b/m}"


STANDARD = "serving.kserve.io/deploymentMode: Standard"
KNATIVE = "serving.kserve.io/deploymentMode: Knative"


def spec(predictor: str = MODEL, rest: str = "") -> str:
    return f"spec:\n  predictor:\n{indent(predictor, '    ')}\n{indent(rest, '  ')}"


def trained(name: str = "m", uri: str = "s3://b/m", memory: str = "1Gi") -> str:
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: TrainedModel
metadata: {{name: {name}}}
spec:
  inferenceService: iris
  model: {{storageUri: "{uri}", framework: sklearn, memory: {memory}}}
"""


def cache(name: str = "llm", uri: str = "hf://a/b", kind: str = "LocalModelCache") -> str:
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: {kind}
metadata: {{name: {name}}}
spec: {{sourceModelUri: "{uri}", modelSize: 1Gi, nodeGroups: [gpus]}}
"""


GROUP = """
apiVersion: serving.kserve.io/v1alpha1
kind: LocalModelNodeGroup
metadata: {name: gpus}
spec: {storageLimit: 1Ti, persistentVolumeSpec: {}, persistentVolumeClaimSpec: {}}
"""


def container(pattern: str, workload: str = "initContainer") -> str:
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterStorageContainer
metadata: {{name: c}}
spec:
  container: {{name: a, image: x}}
  supportedUriFormats: [{pattern}]
  workloadType: {workload}
"""


def only(text: str) -> Resource:
    (found,) = parse(load(text)).objects.values()
    return found.resource
