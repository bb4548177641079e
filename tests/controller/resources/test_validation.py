"""What KServe's admission refuses, as tables: the fault, its code, and what the message tells."""

import pytest

from controller.resources.config import Config, DeployConfig
from controller.resources.parse import parse_object
from graph.loader import load
from tests.controller.manifests import resources, service
from tests.controller.resources.texts import KNATIVE, MODEL, STANDARD, spec

CLASS = "serving.kserve.io/autoscalerClass"
KEDA = f"{STANDARD}, {CLASS}: keda"
HPA = f"{STANDARD}, {CLASS}: hpa"
NODES = f"{CLASS}: none"
WORKERS = "model: {modelFormat: {name: huggingface}, storageUri: pvc://a}"


def canary(text: str, share: int = 10) -> str:
    return f"canary:\n- {{trafficPercent: {share}, predictor: {{{text}}}}}"


NEXT = "name: next, model: {modelFormat: {name: sklearn}}"
AFTER = "name: after, model: {modelFormat: {name: sklearn}}"

# name -> below spec.predictor or the whole spec; annotations; code; words of the message
SERVICES = {
    "an autoscaler that is none": (MODEL, f"{CLASS}: vpa", "bad-annotation", "`keda`"),
    "a path of Python modules in a model": (
        "sklearn: {env: [{name: PYTHONPATH, value: /x}]}",
        "",
        "reserved-env",
        "PYTHONPATH cannot be set here",
    ),
    "a path of Python modules in an init container": (
        f"{MODEL}\ninitContainers: [{{name: a, env: [{{name: PYTHONPATH}}]}}]",
        "",
        "reserved-env",
        "PYTHONPATH",
    ),
    "a path of Python modules in a transformer": (
        spec(rest="transformer: {containers: [{name: t, env: [{name: PYTHONPATH}]}]}"),
        "",
        "reserved-env",
        "PYTHONPATH",
    ),
    "a model beside a model": (
        "containers: [{name: kserve-container}, {name: transformer-container, "
        "env: [{name: STORAGE_URI, value: s3://a}]}]",
        "",
        "reserved-env",
        "fetched once",
    ),
    "a name where the runtime has one": ("sklearn: {name: a}", "", "container-name", "remove"),
    "a second container without a name": (
        "containers: [{image: a}, {image: b}]",
        "",
        "container-name",
        "add one",
    ),
    "two places for one model": (
        f"{MODEL}\nstorageUris: [{{uri: s3://b/n}}]",
        "",
        "storage-clash",
        "keep one",
    ),
    "a URI and a path in a storage": (
        "sklearn: {storageUri: s3://b, storage: {path: a}}",
        "",
        "storage-clash",
        "keep one",
    ),
    "models over the whole disk": (
        "sklearn: {}\nstorageUris: [{uri: s3://b, mountPath: /}]",
        "",
        "storage-clash",
        "below /",
    ),
    "models beside their folder": (
        "sklearn: {}\nstorageUris: [{uri: s3://b, mountPath: /a/../etc}]",
        "",
        "storage-clash",
        "below /",
    ),
    "models that share no folder": (
        "sklearn: {}\nstorageUris: [{uri: s3://b, mountPath: /a}, {uri: gs://b, mountPath: /b}]",
        "",
        "storage-clash",
        "share no folder",
    ),
    "two claims at one place": (
        "sklearn: {}\nstorageUris: [{uri: pvc://b, mountPath: /a}, {uri: pvc://c, mountPath: /a}]",
        "",
        "storage-clash",
        "each its own",
    ),
    "a scheme that nobody fetches": (
        "sklearn: {storageUri: ftp://b/m}",
        "",
        "bad-storage-uri",
        "ClusterStorageContainer",
    ),
    "a secret model from nowhere": (
        "sklearn: {confidential: {enabled: true}}",
        "",
        "confidential",
        "needs a storageUri",
    ),
    "a key that is none": (
        "sklearn: {storageUri: s3://b, confidential: {enabled: true, resourceId: a}}",
        "",
        "confidential",
        "kbs:///",
    ),
    "a secret model that stays closed": (
        "sklearn: {storageUri: oci://b, confidential: {enabled: true}}",
        "",
        "confidential-scheme",
        "another scheme",
    ),
    "a model without a format": ("model: {}", "", "missing-field", "modelFormat"),
    "two frameworks": ("sklearn: {}\nonnx: {}", "", "several-implementations", "keep one"),
    "a transformer of nothing": (
        spec(rest="transformer: {minReplicas: 1}"),
        "",
        "no-implementation",
        "add one",
    ),
    "an explainer of nothing": (spec(rest="explainer: {}"), "", "no-implementation", "art"),
    "an explainer of two things": (
        spec(rest="explainer: {art: {type: a}, containers: [{name: a}]}"),
        "",
        "several-implementations",
        "keep one",
    ),
    "a protocol that is none": (
        "containers: [{name: a, env: [{name: PROTOCOL, value: v3}]}]",
        "",
        "bad-protocol",
        "v1 or v2",
    ),
    "fewer than no replicas": (f"{MODEL}\nminReplicas: -1", "", "bad-replicas", "0 or more"),
    "less than no concurrency": (
        f"{MODEL}\ncontainerConcurrency: -1",
        "",
        "bad-replicas",
        "containerConcurrency",
    ),
    "more replicas than the most": (
        f"{MODEL}\nminReplicas: 3\nmaxReplicas: 2",
        "",
        "bad-replicas",
        "above maxReplicas 2",
    ),
    "a logger without a mode": (f"{MODEL}\nlogger: {{url: http://a}}", "", "bad-logger", "mode"),
    "a logger that stores half": (
        f"{MODEL}\nlogger: {{mode: all, storage: {{path: a}}}}",
        "",
        "bad-logger",
        "no parameters and no key",
    ),
    "an HPA by requests": (f"{MODEL}\nscaleMetric: rps", HPA, "bad-autoscaling", "cpu or memory"),
    "an HPA at twice its CPU": (
        f"{MODEL}\nscaleTarget: 200",
        HPA,
        "bad-autoscaling",
        "1 to 100",
    ),
    "an HPA by a query": (
        f"{MODEL}\nautoScaling: {{metrics: [{{type: External}}]}}",
        HPA,
        "bad-autoscaling",
        "use Resource",
    ),
    "keda by scaleMetric": (
        f"{MODEL}\nscaleMetric: cpu",
        KEDA,
        "bad-autoscaling",
        "autoScaling.metrics",
    ),
    "keda by a CPU's value": (
        f"{MODEL}\nautoScaling: {{metrics: [{{type: Resource, resource: "
        "{name: cpu, target: {type: Value, value: 1}}}]}",
        KEDA,
        "bad-autoscaling",
        "Utilization",
    ),
    "keda by a byte of memory": (
        f"{MODEL}\nautoScaling: {{metrics: [{{type: Resource, resource: "
        "{name: memory, target: {type: AverageValue, averageValue: 1Ki}}}]}",
        KEDA,
        "bad-autoscaling",
        "1Mi",
    ),
    "keda without a query": (
        f"{MODEL}\nautoScaling: {{metrics: [{{type: External, external: "
        "{metric: {backend: prometheus}, target: {value: 1}}}]}",
        KEDA,
        "bad-autoscaling",
        "no query",
    ),
    "Knative by CPU": (
        f"{MODEL}\nscaleMetric: cpu",
        KNATIVE,
        "bad-autoscaling",
        "concurrency or rps",
    ),
    "Knative by less than a request": (
        f"{MODEL}\nscaleMetric: rps\nscaleTarget: 0",
        KNATIVE,
        "bad-autoscaling",
        "1 or more",
    ),
    "Knative with a strategy": (
        f"{MODEL}\ndeploymentStrategy: {{type: Recreate}}",
        KNATIVE,
        "bad-autoscaling",
        "remove it",
    ),
    "several nodes that are scaled": (
        f"{WORKERS}\nworkerSpec: {{}}",
        "",
        "bad-workers",
        "autoscalerClass: none",
    ),
    "several nodes that cannot share": (
        f"{MODEL}\nworkerSpec: {{}}",
        NODES,
        "bad-workers",
        "pvc:// or oci://",
    ),
    "several nodes without a model": (
        "model: {modelFormat: {name: x}}\nworkerSpec: {}",
        NODES,
        "bad-workers",
        "add a storageUri",
    ),
    "a worker of two containers": (
        f"{WORKERS}\nworkerSpec: {{containers: [{{name: a}}, {{name: b}}]}}",
        NODES,
        "bad-workers",
        "one container",
    ),
    "a worker of nothing": (
        f"{WORKERS}\nworkerSpec: {{tensorParallelSize: 0}}",
        NODES,
        "bad-workers",
        "1 or more",
    ),
    "a GPU that nobody knows": (
        f"{WORKERS}\nworkerSpec: {{containers: [{{name: a, resources: "
        "{limits: {example.com/gpu: 1}}}]}",
        NODES,
        "bad-workers",
        "gpu-resource-types",
    ),
    "a list of GPUs that is none": (
        f"{WORKERS}\nworkerSpec: {{}}",
        f"{NODES}, serving.kserve.io/gpu-resource-types: x",
        "bad-annotation",
        "JSON list",
    ),
    "sizes of a group as environment": (
        f"{WORKERS[:-1]}, env: [{{name: TENSOR_PARALLEL_SIZE, value: '2'}}]}}\nworkerSpec: {{}}",
        NODES,
        "reserved-env",
        "tensorParallelSize",
    ),
    "canaries of Knative": (spec(rest=canary(NEXT)), KNATIVE, "bad-canary", "Standard only"),
    "canaries of a container": (
        spec("containers: [{name: a}]", canary(NEXT)),
        STANDARD,
        "bad-canary",
        "give it a model",
    ),
    "a canary without a name": (
        spec(rest=canary("model: {modelFormat: {name: a}}")),
        STANDARD,
        "bad-canary",
        "no name",
    ),
    "a canary with the name of another": (
        spec(f"name: next\n{MODEL}", canary(NEXT)),
        STANDARD,
        "bad-canary",
        "rename",
    ),
    "canaries of more than all": (
        spec(
            rest=f"{canary(NEXT, 60)}\n- {{trafficPercent: 50, predictor: {{{AFTER}}}}}",
        ),
        STANDARD,
        "bad-canary",
        "add up to 110",
    ),
    "a canary with a scale": (
        spec(rest=canary(f"{NEXT}, maxReplicas: 3")),
        STANDARD,
        "bad-canary",
        "no maxReplicas",
    ),
    "a canary of more replicas": (
        spec(rest=canary(f"{NEXT}, minReplicas: 2")),
        STANDARD,
        "bad-canary",
        "above the 1",
    ),
}


@pytest.mark.parametrize(("text", "annotations", "code", "words"), SERVICES.values(), ids=SERVICES)
def test_a_service_is_refused(text: str, annotations: str, code: str, words: str) -> None:
    found = resources(service(text, annotations=f"{{{annotations}}}")).problems
    assert [p.problem.code for p in found] == [code]
    assert words in found[0].problem.message


GOOD = {
    "a sidecar beside a model": (f"{MODEL}\ncontainers: [{{name: proxy}}]", ""),
    "no limit above": (f"{MODEL}\nminReplicas: 3\nmaxReplicas: 0", ""),
    "a metric of a mode that nobody told": (f"{MODEL}\nscaleMetric: cpu", ""),
    "an HPA by CPU": (f"{MODEL}\nscaleMetric: cpu\nscaleTarget: 80", HPA),
    "Standard without an autoscaler": (f"{MODEL}\nscaleMetric: rps", STANDARD),
    "Knative's own HPA": (
        f"{MODEL}\nscaleMetric: cpu",
        f"{KNATIVE}, autoscaling.knative.dev/class: hpa.autoscaling.knative.dev",
    ),
    "a path without a scheme": ("sklearn: {storageUri: ./model}", ""),
    "models below one folder": (
        "sklearn: {}\n"
        "storageUris: [{uri: s3://b, mountPath: /m/a}, {uri: gs://b, mountPath: /m/b}]",
        "",
    ),
    "a dark launch": (spec(rest=canary(NEXT, 0)), STANDARD),
    "several nodes": (f"{WORKERS}\nworkerSpec: {{tensorParallelSize: 2}}", NODES),
    "a GPU of one's own": (
        f"{WORKERS}\nworkerSpec: {{containers: [{{name: a, resources: "
        "{limits: {example.com/gpu: 1}}}]}",
        f"{NODES}, serving.kserve.io/gpu-resource-types: '[\"example.com/gpu\"]'",
    ),
}


@pytest.mark.parametrize(("text", "annotations"), GOOD.values(), ids=GOOD)
def test_a_service_is_fine(text: str, annotations: str) -> None:
    found = resources(service(text, annotations=f"{{{annotations}}}"))
    assert [str(p) for p in found.problems] == []
    assert len(found.objects) == 1


def test_everything_at_once() -> None:
    text = "sklearn: {env: [{name: PYTHONPATH}]}\nminReplicas: -1\nlogger: {}"
    found = resources(service(text, name="Iris")).problems
    codes = ["bad-name", "reserved-env", "bad-replicas", "bad-logger"]
    assert [p.problem.code for p in found] == codes
    assert [p.line for p in found] == [4, 7, 8, 9]


def test_a_clusters_mode_decides_where_the_manifest_says_nothing() -> None:
    data = load(service(f"{MODEL}\nscaleMetric: cpu"))[0].data
    standard = Config(deploy=DeployConfig(default_deployment_mode="Standard"))
    assert parse_object(data, standard)[1] == []
    assert [p.code for p in parse_object(data, Config())[1]] == ["bad-autoscaling"]


def test_the_configuration_among_the_files_counts_wherever_it_stands() -> None:
    config = """
apiVersion: v1
kind: ConfigMap
metadata: {name: inferenceservice-config, namespace: kserve}
data:
  deploy: '{"defaultDeploymentMode": "Knative"}'
  loger: '{}'
"""
    found = resources(service(f"{MODEL}\nscaleMetric: cpu"), config)
    assert [p.problem.code for p in found.problems] == ["ignored-field", "bad-autoscaling"]
    assert found.config == Config()


def test_a_storage_container_fetches_what_kserve_does_not() -> None:
    container = """
apiVersion: graphway.dev/v1alpha1
kind: StorageContainer
metadata: {name: ftp}
spec:
  container: {name: a, command: [fetch]}
  supportedUriFormats: [{prefix: "ftp://"}]
"""
    assert resources(service("sklearn: {storageUri: ftp://b/m}"), container).problems == []
