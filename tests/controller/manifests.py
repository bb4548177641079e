"""Manifests for the tests of the controller, from the few words that a test is about."""

from pathlib import Path
from textwrap import indent
from typing import Any

from yaml import safe_load

from controller.resources.parse import Resources, Runtime, Service, parse
from graph.loader import load


def service(spec: str, name: str = "iris", annotations: str = "{}", namespace: str = "") -> str:
    """`spec` is the YAML below `spec.predictor`, or the whole spec if it begins with `spec:`."""
    below = spec if spec.startswith("spec:") else f"spec:\n  predictor:\n{indent(spec, '    ')}"
    return f"""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: {name}, namespace: "{namespace}", annotations: {annotations}}}
{below}
"""


def runtime(
    name: str,
    formats: str = "[{name: sklearn, version: '1', autoSelect: true}]",
    *,
    protocols: str = "[v1]",
    spec: str = "",
    container: str = "{name: kserve-container, image: x}",
    annotations: str = "{}",
    namespace: str | None = None,
    created: str = "",
) -> str:
    kind = "ClusterServingRuntime" if namespace is None else "ServingRuntime"
    extra = f"\n  {spec}" if spec else ""
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: {kind}
metadata:
  name: {name}
  namespace: "{namespace or ""}"
  annotations: {annotations}
  creationTimestamp: "{created}"
spec:
  supportedModelFormats: {formats}
  protocolVersions: {protocols}
  containers: [{container}]{extra}
"""


def resources(*texts: str, file: Path | str = "/manifests/all.yaml") -> Resources:
    return parse(load("\n---\n".join(texts), str(file)))


def sound(*texts: str, file: Path | str = "/manifests/all.yaml") -> Resources:
    found = resources(*texts, file=file)
    assert not found.problems, "\n".join(map(str, found.problems))
    return found


def only_service(*texts: str) -> Service:
    (found,) = sound(*texts).services.values()
    return found


def runtimes(*texts: str) -> list[Runtime]:
    return [*sound(*texts).runtimes.values()]


def yaml(text: str) -> Any:
    """Of a few keys, in one line."""
    return safe_load(text)
