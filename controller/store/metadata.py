"""What the server says about an object beside its author: pure functions on plain JSON.

Identity and counters (`uid`, `resourceVersion`, `generation`, timestamps) are the store's alone;
whatever a client sends in their place is passed over, except where it is a precondition. Time and
uids come in as values.
"""

import re
from base64 import b64encode
from collections.abc import Iterable

from controller.store.errors import Cause, bad_request, conflict, invalid
from controller.store.refs import Json, Kind, Ref, api_version

_OWN = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAMESPACE = re.compile(_LABEL)
_ANNOTATIONS_BYTES = 256 * 1024  # the limit of Kubernetes


def created(kind: Kind, wanted: Json, *, now: str, uid: str) -> Json:
    """The object as it is first stored."""
    ref = Ref.of(kind, wanted)
    _check(ref, wanted)
    metadata: Json = {"name": ref.name} | ({"namespace": ref.namespace} if kind.namespaced else {})
    metadata |= {"uid": uid, "creationTimestamp": now, "generation": 1}
    metadata |= _authors(wanted)
    made = {"apiVersion": api_version(kind), "kind": kind.name, "metadata": metadata}
    return made | _content(kind, wanted)


def updated(kind: Kind, live: Json, wanted: Json) -> Json:
    """The live object with everything from `wanted` but what is the server's, or the status."""
    ref = Ref.of(kind, live)
    _check(ref, wanted)
    was = live["metadata"]
    _check_finalizers(ref, was, wanted["metadata"])
    metadata = {key: was[key] for key in ("name", "namespace", *_OWN) if key in was}
    metadata |= _authors(wanted)
    content = _content(kind, wanted)
    if kind.status and "status" in live:
        content["status"] = live["status"]
    if _said(content) != _said(_content(kind, live)):
        metadata["generation"] = was.get("generation", 1) + 1
    return {"apiVersion": api_version(kind), "kind": kind.name, "metadata": metadata} | content


def with_status(live: Json, status: Json) -> Json:
    return live | {"status": status}


def check_preconditions(ref: Ref, live: Json, uid: str | None, version: str | None) -> None:
    """`uid` and `version` are what a client believes of the live object; None if it does not care.

    Raises a Conflict.
    """
    was = live["metadata"]
    if uid and uid != was["uid"]:
        raise conflict(ref, f"Precondition failed: UID in precondition: {uid}, UID: {was['uid']}")
    if version and version != was["resourceVersion"]:
        why = "the object has been modified; please apply your changes to the latest version"
        raise conflict(ref, f"{why} and try again")


def is_going(resource: Json) -> bool:
    return "deletionTimestamp" in resource["metadata"]


def finalizers(resource: Json) -> list[str]:
    return list(resource["metadata"].get("finalizers") or ())


def with_finalizers(resource: Json, held: list[str]) -> Json:
    return resource | {"metadata": resource["metadata"] | {"finalizers": held}}


def going(live: Json, now: str, held: list[str]) -> Json:
    """Deleted as far as its author goes; here until the finalizers are taken away."""
    marked = with_finalizers(live, held)
    marked["metadata"].setdefault("deletionTimestamp", now)
    marked["metadata"]["deletionGracePeriodSeconds"] = 0
    return marked


def _authors(wanted: Json) -> Json:
    """Labels, annotations and the like; empty ones are left out, as a cluster does."""
    skipped = (*_OWN, "name", "namespace", "generateName")
    given: Json = wanted["metadata"]
    return {key: value for key, value in given.items() if key not in skipped and value}


def _content(kind: Kind, resource: Json) -> Json:
    skipped = ("apiVersion", "kind", "metadata", *(("status",) if kind.status else ()))
    content = {key: value for key, value in resource.items() if key not in skipped}
    if _is_secret(kind):
        content.setdefault("type", "Opaque")  # the only default: clients show it, or nothing
    return folded(kind, content)


def _said(content: Json) -> Json:
    return {key: value for key, value in content.items() if key != "status"}


def folded(kind: Kind, resource: Json) -> Json:
    """`stringData` of a Secret is a way to write `data`, and is never read back."""
    texts, data = resource.get("stringData"), resource.get("data") or {}
    if not _is_secret(kind) or not isinstance(texts, dict) or not isinstance(data, dict):
        return resource
    encoded = {key: b64encode(str(text).encode()).decode() for key, text in texts.items()}
    kept = {key: value for key, value in resource.items() if key != "stringData"}
    return kept | {"data": data | encoded}


def _is_secret(kind: Kind) -> bool:
    return (kind.group, kind.name) == ("", "Secret")


def _check(ref: Ref, wanted: Json) -> None:
    if wanted.get("kind") != ref.kind.name or wanted.get("apiVersion") != api_version(ref.kind):
        given = f"{wanted.get('apiVersion')} {wanted.get('kind')}"
        raise bad_request(f"this is {given}, not {api_version(ref.kind)} {ref.kind.name}")
    if Ref.of(ref.kind, wanted) != ref:
        raise bad_request(f"this is {Ref.of(ref.kind, wanted)}, not {ref}; names never change")
    causes = list(_name_faults(ref))
    annotations = wanted["metadata"].get("annotations") or {}
    if sum(len(k) + len(str(v)) for k, v in annotations.items()) > _ANNOTATIONS_BYTES:
        message = f"Too long: may not be more than {_ANNOTATIONS_BYTES} bytes"
        causes.append(Cause("metadata.annotations", message, "FieldValueTooLong"))
    if causes:
        raise invalid(ref.kind, ref.name, causes)


def _name_faults(ref: Ref) -> Iterable[Cause]:
    if not ref.name:
        message = "Required value: name or generateName is required"
        yield Cause("metadata.name", message, "FieldValueRequired")
    elif len(ref.name) > 253 or not _SUBDOMAIN.fullmatch(ref.name):
        message = "lower case letters, digits, '-' and '.', at most 253, as in `my-model`"
        yield Cause("metadata.name", f'Invalid value: "{ref.name}": {message}')
    if ref.namespace and (len(ref.namespace) > 63 or not _NAMESPACE.fullmatch(ref.namespace)):
        message = "lower case letters, digits and '-', at most 63"
        yield Cause("metadata.namespace", f'Invalid value: "{ref.namespace}": {message}')


def _check_finalizers(ref: Ref, was: Json, given: Json) -> None:
    added = set(given.get("finalizers") or ()) - set(was.get("finalizers") or ())
    if "deletionTimestamp" in was and added:
        message = "Forbidden: no new finalizers can be added if the object is being deleted"
        cause = Cause("metadata.finalizers", f"{message}: {sorted(added)}", "FieldValueForbidden")
        raise invalid(ref.kind, ref.name, [cause])
