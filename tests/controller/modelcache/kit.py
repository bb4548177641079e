"""Manifests of caches, and what became of them."""

import sys
from pathlib import Path

from controller.local.node import this_node
from controller.modelcache.known import CACHE, GROUP, NAMESPACE_CACHE, NODE
from controller.store.own_kinds import EVENT
from controller.store.refs import Json, Ref
from tests.controller.backend import SERVER
from tests.controller.manifests import runtime, service
from tests.controller.running import Plane

COMMAND = ", ".join(f"'{word}'" for word in (sys.executable, "-I", str(SERVER), "$(PORT)"))
RUNTIME = runtime(
    "fake",
    "[{name: fake, version: '1', autoSelect: true}]",
    container="{name: kserve-container, command: ["
    + COMMAND
    + "], ports: [{containerPort: 8080}], readinessProbe: {httpGet: {path: /ready, port: 8080}}}",
    namespace="default",
)


def group(name: str = "disk", limit: str = "1Gi", affinity: str = "{}") -> str:
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: LocalModelNodeGroup
metadata: {{name: {name}}}
spec:
  storageLimit: {limit}
  persistentVolumeSpec: {affinity}
  persistentVolumeClaimSpec: {{}}
"""


def cache(
    name: str, uri: str, size: str = "1Ki", *, groups: str = "[disk]", namespace: str = ""
) -> str:
    kind = "LocalModelNamespaceCache" if namespace else "LocalModelCache"
    where = f", namespace: {namespace}" if namespace else ""
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: {kind}
metadata: {{name: {name}{where}}}
spec: {{sourceModelUri: "{uri}", modelSize: {size}, nodeGroups: {groups}}}
"""


def user(uri: str, name: str = "iris", annotations: str = "{}") -> str:
    """A service of that model."""
    model = f'model: {{modelFormat: {{name: fake}}, storageUri: "{uri}"}}'
    return service(model, name=name, annotations=annotations)


def found(plane: Plane, name: str, namespace: str = "") -> Json:
    kind = NAMESPACE_CACHE if namespace else CACHE
    return plane.store.find(Ref(kind, namespace, name)) or {}


def state(plane: Plane, name: str, namespace: str = "") -> str:
    """Of this node, without its prefix."""
    status = found(plane, name, namespace).get("status") or {}
    return str(status.get("nodeStatus", {}).get(this_node(), "")).removeprefix("Node")


def why(plane: Plane, name: str, namespace: str = "") -> str:
    conditions = (found(plane, name, namespace).get("status") or {}).get("conditions") or [{}]
    return f"{conditions[0].get('reason')}: {conditions[0].get('message')}"


def node(plane: Plane) -> Json:
    return plane.store.get(Ref(NODE, "", this_node()))


def room(plane: Plane, name: str = "disk") -> Json:
    status: Json = plane.store.get(Ref(GROUP, "", name)).get("status") or {}
    return status


def models(home: Path) -> list[Path]:
    """The folders of models that lie there."""
    return sorted(path for path in (home / "models").glob("*") if path.is_dir() and not path.suffix)


def events(plane: Plane, name: str) -> list[str]:
    found = plane.store.list(EVENT).items
    return [e["reason"] for e in found if e["involvedObject"]["name"] == name]
