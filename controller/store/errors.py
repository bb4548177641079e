"""Why the API says no: Kubernetes' reasons with their status codes, as one exception.

Clients act upon `reason` and `code` (a Conflict is tried again, an Expired watch is listed anew),
so both come from this file alone. `body()` is the Status object that a client gets.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.store.refs import Json, Kind, Ref, resource_name


@dataclass(frozen=True, slots=True)
class Cause:
    """One field, and what is wrong with it."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def body(self) -> Json:
        return {"reason": self.reason, "message": self.message, "field": self.field}


class ApiError(Exception):
    """A request that cannot be carried out; never a bug of ours, but for `internal`."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def body(self) -> Json:
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        return status | ({"details": self.details} if self.details else {})


def _details(kind: Kind, name: str, causes: Iterable[Cause] = ()) -> Json:
    # Kubernetes puts the plural here for most reasons; kubectl only prints it.
    details: Json = {"name": name, "group": kind.group, "kind": kind.plural}
    listed = [cause.body() for cause in causes]
    return details | ({"causes": listed} if listed else {})


def not_found(ref: Ref) -> ApiError:
    message = f'{resource_name(ref.kind)} "{ref.name}" not found'
    return ApiError(404, "NotFound", message, _details(ref.kind, ref.name))


def already_exists(ref: Ref) -> ApiError:
    message = f'{resource_name(ref.kind)} "{ref.name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(ref.kind, ref.name))


def conflict(ref: Ref, why: str, causes: Iterable[Cause] = ()) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource_name(ref.kind)} "{ref.name}": {why}'
    return ApiError(409, "Conflict", message, _details(ref.kind, ref.name, causes))


def invalid(kind: Kind, name: str, causes: Iterable[Cause]) -> ApiError:
    listed = list(causes)
    said = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in listed]
    told = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    full = f"{kind.name}.{kind.group}" if kind.group else kind.name
    details = _details(kind, name, listed) | {"kind": kind.name}
    return ApiError(422, "Invalid", f'{full} "{name}" is invalid: {told}', details)


def expired(version: int, oldest: int) -> ApiError:
    message = f"too old resource version: {version} ({oldest}); list again and watch from there"
    return ApiError(410, "Expired", message)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def internal(message: str) -> ApiError:
    return ApiError(500, "InternalError", message)
