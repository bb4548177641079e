"""Replicas as Pods in the store, so that whoever knows Kubernetes finds them: `get pods`, `logs`.

They are only shown: nothing is read back from them, and what is left of a run before this one goes
at the first look. Each belongs to its InferenceService, and goes with it.
"""

from collections.abc import Iterator

from controller.observe import Observed, Replica, Running
from controller.pod_status import pod_status
from controller.store.dependents import owned_by
from controller.store.errors import ApiError
from controller.store.own_kinds import POD
from controller.store.owned import metadata_of
from controller.store.refs import Json, Ref
from controller.store.store import Store


def show(store: Store, service: Json, observed: Observed) -> None:
    """Equal to what is shown already: nothing is written."""
    with store.transaction(flush=False):
        owned = (ref for ref in owned_by(store, service["metadata"]["uid"]) if ref.kind == POD)
        known = {ref.name: store.get(ref) for ref in owned}
        for running, replica in _replicas(observed):
            pod = known.pop(replica.name, None)
            if pod is None and running.unit is not None:
                pod = _made(store, _pod(service, running, replica))
            if pod is not None:
                container, before = pod["spec"]["containers"][0], pod.get("status") or {}
                store.replace_status(Ref.of(POD, pod), pod_status(container, replica, before))
        for pod in known.values():
            store.delete(Ref.of(POD, pod))


def _made(store: Store, pod: Json) -> Json | None:
    """None if it cannot be called so, which is no reason not to run: the name is too long for a
    Pod, or `iris` with a predictor `v2` and `iris-v2` both have it. The first one is shown.
    """
    try:
        return store.create(POD, pod)
    except ApiError as refused:
        if refused.code not in (409, 422):
            raise
        return None


def _replicas(observed: Observed) -> Iterator[tuple[Running, Replica]]:
    for running in observed.values():
        for replica in {replica.name: replica for replica in running.replicas}.values():
            yield running, replica


def _pod(service: Json, running: Running, replica: Replica) -> Json:
    assert running.unit is not None
    container = running.unit.component.container
    said = {"name": container.name or running.role.value, "image": container.image}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata_of(service, replica.name, {"component": running.role.value}),
        "spec": {"containers": [{key: value for key, value in said.items() if value}]},
    }
