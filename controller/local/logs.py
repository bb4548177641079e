"""What replicas print, as the API asks for it: of a component of a service, or of a pod."""

import re
from collections.abc import AsyncIterator, Iterable

from controller.api.logs import LogRequest
from controller.local.backend import LocalBackend
from controller.store.errors import ApiError, bad_request
from controller.workload import Role

_REPLICA = re.compile(
    r"(?:.+-)?(?P<role>predictor|transformer|explainer)(?:-(?P<revision>[0-9]+))?-(?P<number>[0-9]+)"
)


async def output(backend: LocalBackend, wanted: LogRequest) -> AsyncIterator[bytes]:
    if wanted.previous:
        raise bad_request("what it printed before its last restart stands in the same log")
    key = _pod(backend, wanted) if wanted.about.kind.name == "Pod" else _newest(backend, wanted)
    async for line in backend.logs(key, tail=wanted.tail, follow=wanted.follow):
        yield f"{line}\n".encode()


def _pod(backend: LocalBackend, wanted: LogRequest) -> str:
    """A pod is called as its service, and what it is of that."""
    about = wanted.about
    for key in backend.states():
        namespace, service, replica = key.split("/")
        if (namespace, f"{service}-{replica}") == (about.namespace, about.name):
            return key
    raise ApiError(404, "NotFound", f"pod {about.name} has ended; its service has its log")


def _newest(backend: LocalBackend, wanted: LogRequest) -> str:
    """The first replica of the newest revision, of what runs or, if nothing does, of what did."""
    about, role = wanted.about, wanted.component or Role.PREDICTOR
    if role not in [*Role]:
        raise bad_request(f"component is one of {', '.join(Role)}, not {role}")
    service = f"{about.namespace}/{about.name}"
    running = [key for key in backend.states() if key.startswith(f"{service}/")]
    for keys in (running, backend.logged(service)):
        found = _of_role(keys, role)
        if found:
            return found
    raise ApiError(404, "NotFound", f"no {role} of {about.name} has printed anything yet")


def _of_role(keys: Iterable[str], role: str) -> str | None:
    ranked = []
    for key in keys:
        found = _REPLICA.fullmatch(key.rpartition("/")[2])
        if found is not None and found["role"] == role:
            ranked.append((-int(found["revision"] or 0), int(found["number"]), key))
    return min(ranked)[2] if ranked else None
