"""InferenceGraph as a resource among the others: with their metadata, and what the server adds."""

from typing import Literal

from controller.resources.resource import Resource
from graph.spec import GraphSpec, GraphStatus


class InferenceGraph(Resource):
    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    kind: Literal["InferenceGraph"] = "InferenceGraph"
    spec: GraphSpec
    status: GraphStatus | None = None
