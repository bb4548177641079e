"""Kinds of core/v1 that nobody writes in a manifest, but that are kept and shown beside those of
the table: events, the pods that stand for processes, namespaces.
"""

from pydantic import ConfigDict

from controller.resources.kinds import CORE, KINDS, Column, Kind
from controller.resources.resource import Resource
from controller.store.pod_cells import ready_of, word_of


class Open(Resource):
    """Its fields are Kubernetes' own and nobody here depends on them."""

    model_config = ConfigDict(extra="allow")


_AGE = Column("Age", ".metadata.creationTimestamp", "date")

EVENT = Kind(
    "Event",
    CORE,
    "v1",
    "events",
    namespaced=True,
    model=Open,
    short_names=("ev",),
    columns=(
        Column("Last Seen", ".lastTimestamp", "date"),
        Column("Type", ".type"),
        Column("Reason", ".reason"),
        Column("Object", ".involvedObject", "reference"),
        Column("Count", ".count", "integer", priority=1),
        Column("Message", ".message"),
    ),
    status=False,
)
POD = Kind(
    "Pod",
    CORE,
    "v1",
    "pods",
    namespaced=True,
    model=Open,
    short_names=("po",),
    columns=(
        Column("Ready", ".status.containerStatuses[*].ready", cell=ready_of),
        Column("Status", ".status.phase", cell=word_of),
        Column("Restarts", ".status.containerStatuses[*].restartCount", "integer"),
        _AGE,
    ),
)
CONTROLLER_REVISION = Kind(
    "ControllerRevision",
    "apps",
    "v1",
    "controllerrevisions",
    namespaced=True,
    model=Open,
    short_names=("revisions", "rev"),
    columns=(
        Column("Controller", ".metadata.ownerReferences[0].name"),
        Column("Revision", ".revision", "integer"),
        _AGE,
    ),
    status=False,
)
NAMESPACE = Kind(
    "Namespace",
    CORE,
    "v1",
    "namespaces",
    namespaced=False,
    model=Open,
    short_names=("ns",),
    columns=(_AGE,),
    status=False,
)

AUTOSCALER = Kind(
    "HorizontalPodAutoscaler",
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    namespaced=True,
    model=Open,
    short_names=("hpa",),
    columns=(
        Column("Reference", ".spec.scaleTargetRef", "reference"),
        Column("Targets", ".metadata.annotations.graphway\\.dev/targets"),
        Column("MinPods", ".spec.minReplicas", "integer"),
        Column("MaxPods", ".spec.maxReplicas", "integer"),
        Column("Replicas", ".status.currentReplicas", "integer"),
        Column("Desired", ".status.desiredReplicas", "integer", priority=1),
        Column("Why", ".status.conditions[?(@.type=='AbleToScale')].message", priority=1),
        _AGE,
    ),
)
TARGETS = "graphway.dev/targets"  # of one, as its column shows them

ALL_KINDS: tuple[Kind, ...] = (*KINDS, EVENT, POD, CONTROLLER_REVISION, AUTOSCALER, NAMESPACE)
# The controller's; over the API they are only read.
READ_ONLY = (EVENT, POD, CONTROLLER_REVISION, AUTOSCALER)
