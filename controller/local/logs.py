"""What replicas print, as the API asks for it: of a component of a service, or of a pod."""

from collections.abc import AsyncIterator

from controller.api.logs import LogRequest
from controller.local.backend import LocalBackend
from controller.store.errors import bad_request
from controller.workload import Role


async def output(backend: LocalBackend, wanted: LogRequest) -> AsyncIterator[bytes]:
    if wanted.previous:
        raise bad_request("what it printed before its last restart stands in the same log")
    key = _replica(wanted)
    async for line in backend.logs(key, tail=wanted.tail, follow=wanted.follow):
        yield f"{line}\n".encode()


def _replica(wanted: LogRequest) -> str:
    about = wanted.about
    if about.kind.name == "Pod":
        service, role, number = about.name.rsplit("-", 2)
        return f"{about.namespace}/{service}/{role}-{number}"
    role = wanted.component or Role.PREDICTOR
    if role not in [*Role]:
        raise bad_request(f"component is one of {', '.join(Role)}, not {role}")
    return f"{about.namespace}/{about.name}/{role}-0"
