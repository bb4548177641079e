"""InferenceService + runtime -> Workload: what is to run, whoever runs it.

Pure, and knows no backend: ports are those of the manifests, models are URIs and the places where
containers expect them. A backend turns that into processes or Kubernetes objects.
"""

from controller.workload.render import CLUSTER, workload
from controller.workload.shape import Component, Mount, Role, Terms, Worker, Workload

__all__ = ["CLUSTER", "Component", "Mount", "Role", "Terms", "Worker", "Workload", "workload"]
