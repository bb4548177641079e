"""Manifests for live tests, made from what a test needs to say."""

import json
from typing import Any

Step = dict[str, Any]


def graph(name: str, kind: str = "Sequence", *steps: Step, **spec: Any) -> str:
    """One InferenceGraph of namespace `test` with a single node, as a YAML document."""
    document = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": name, "namespace": "test"},
        "spec": {"nodes": {"root": {"routerType": kind, "steps": list(steps)}}, **spec},
    }
    return f"---\n{json.dumps(document)}\n"


def path(name: str) -> str:
    return f"/graphs/test/{name}"
