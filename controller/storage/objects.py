"""Buckets of S3 and Google, and blob containers of Azure, through obstore.

obstore takes what it is not told from the environment of the process; so everything that could mix
with the given credentials is told. Its error texts may hold signed URLs: they are read for a status
and a few known words, and never passed on.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

from controller.storage.names import safe_name
from controller.storage.outcome import TRANSIENT, Fault, Reason
from controller.storage.source import Item

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta
    from obstore.store import ObjectStore

CHUNK_BYTES = 1024 * 1024

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_KEYS = re.compile("AccessKey|Signature|Token|Credential|Authoriz|Authentic|AccountProblem")
# Words in the text of a transport error, and ours.
_TRANSPORT = (
    ("ConnectionRefused", "connection refused"),
    ("dns error", "its name is not known"),
    ("InvalidCertificate", "its certificate is not trusted"),
    ("timed out", "no answer in time"),
    ("TimedOut", "no answer in time"),
)


class ObjectSource:
    """What lies below `prefix`, by whole path segments; or the one object of that name."""

    def __init__(self, store: "ObjectStore", prefix: str, shown: str, has_keys: bool) -> None:
        self._store = store
        self._prefix = prefix
        self._shown = shown  # the URI, without secrets
        self._has_keys = has_keys
        self._listed: dict[str, ObjectMeta] = {}
        self._etags: dict[str, str] = {}  # of objects whose listed one no other answer agrees with

    async def items(self) -> Sequence[Item]:
        prefix = "/".join(filter(None, self._prefix.split("/")))
        doubt: Fault | None = None
        if prefix and not self._prefix.endswith("/"):
            one = await self._object(prefix)
            if not isinstance(one, Fault):
                return [self._item(one, prefix.rpartition("/")[2])]
            # Who may list but not look is denied what does not exist, and an answer without a body
            # says nothing more: the listing tells.
            doubt = one
        found = [meta for meta in await self._below(prefix) if meta["path"] != prefix]
        # Consoles mark a folder by an empty object of its name.
        folders = {path[:cut] for path in (m["path"] for m in found) for cut in _slashes(path)}
        files = [m for m in found if m["size"] or m["path"] not in folders]
        if not files:
            message = f"there is nothing at {self._shown}; upload it, or mend the URI"
            raise doubt or Fault(Reason.NOT_FOUND, message)
        start = len(prefix) + 1 if prefix else 0
        return [self._item(meta, meta["path"][start:]) for meta in files]

    async def _object(self, path: str) -> "ObjectMeta | Fault":
        import obstore  # noqa: PLC0415 - part of an extra, and 30 MiB

        try:
            return await obstore.head_async(self._store, path)
        except (obstore.exceptions.BaseError, OSError) as error:
            fault = self._fault(error)
            if fault.reason in TRANSIENT:
                raise fault from error
            return fault

    async def _below(self, prefix: str) -> list["ObjectMeta"]:
        import obstore  # noqa: PLC0415

        found: list[ObjectMeta] = []
        try:
            async for page in obstore.list(self._store, prefix or None):
                found += page
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._fault(error) from error
        return found

    def _item(self, meta: "ObjectMeta", name: str) -> Item:
        plain = safe_name(name)
        if plain is None:
            message = f"{name!r} below {self._shown} is no name for a file here; rename it"
            raise Fault(Reason.BAD_NAME, message)
        self._listed[meta["path"]] = meta
        return Item(plain, meta["path"], meta["size"], _etag(meta))

    async def read(self, item: Item, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        import obstore  # noqa: PLC0415

        assert end is not None  # these stores always know the size
        try:
            result = await self._get(item, start, end)
            async for chunk in result.stream(CHUNK_BYTES):
                yield bytes(chunk)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._fault(error) from error

    async def _get(self, item: Item, start: int, end: int) -> "GetResult":
        import obstore  # noqa: PLC0415

        etag = self._etags.get(item.place, item.etag)
        options: obstore.GetOptions = {"range": (start, end)}
        if etag:
            options["if_match"] = f'"{etag}"'  # some list it without its quotes
        try:
            result = await obstore.get_async(self._store, item.place, options=options)
            answered = _etag(result.meta)
            if not etag or answered in (etag, None):  # some ignore the condition
                return result
        except obstore.exceptions.PreconditionError:
            pass
        if item.place in self._etags or not await self._lists_another_etag(item.place):
            raise self._changed()
        return await self._get(item, start, end)

    async def _lists_another_etag(self, path: str) -> bool:
        """Some gateways do, of an object that is the same in all else."""
        import obstore  # noqa: PLC0415

        listed, now = self._listed[path], await obstore.head_async(self._store, path)
        same_size = now["size"] == listed["size"]
        # A header has whole seconds.
        age = abs((now["last_modified"] - listed["last_modified"]).total_seconds())
        etag = _etag(now)
        if not etag or etag == _etag(listed) or not same_size or age >= 1:
            return False
        self._etags[path] = etag
        return True

    def _changed(self) -> Fault:
        return Fault(Reason.CHANGED, f"{self._shown} changed while it was fetched")

    def _fault(self, error: Exception) -> Fault:
        import obstore.exceptions as known  # noqa: PLC0415

        shown = self._shown
        match error:
            case FileNotFoundError():
                return Fault(Reason.NOT_FOUND, f"there is nothing at {shown}; mend the URI")
            case known.PermissionDeniedError() | known.UnauthenticatedError():
                return self._denied("")
            case known.PreconditionError():
                return self._changed()
            case known.InvalidPathError():
                message = f"a name below {shown} is none for a file here; rename it"
                return Fault(Reason.BAD_NAME, message)
        text = str(error)
        status, code = _STATUS.search(text), _CODE.search(text)
        if status and "token request" in text and int(status[1]) < 500:
            return self._denied("")  # said by whoever turns a key into a token
        if status:
            return self._refused(int(status[1]), code[1] if code else "")
        if "redirect without LOCATION" in text:
            return self._refused(301, "")
        if "body error" in text:
            return Fault(Reason.INTERRUPTED, f"the connection to {shown} broke again and again")
        if "HTTP error" in text:
            why = next((ours for word, ours in _TRANSPORT if word in text), "no connection")
            return Fault(Reason.UNREACHABLE, f"the store of {shown} does not answer: {why}")
        return Fault(Reason.BAD_ANSWER, f"the store of {shown} answers what nobody understands")

    def _refused(self, status: int, code: str) -> Fault:
        named = f" ({code})" if code else ""
        if status == 404:
            message = f"there is no such bucket as in {self._shown}{named}; mend the URI"
            return Fault(Reason.NOT_FOUND, message)
        if status in (401, 403) or _KEYS.search(code):
            return self._denied(named)
        if status in (408, 429) or status >= 500:
            message = f"the store of {self._shown} answers {status}{named}; it is overloaded or ill"
            return Fault(Reason.UNREACHABLE, message)
        if 300 <= status < 400 or status == 400:
            message = (
                f"the store of {self._shown} answers {status}{named}; name the bucket's region"
            )
            return Fault(Reason.BAD_ANSWER, f"{message} in AWS_DEFAULT_REGION or s3-region")
        return Fault(Reason.BAD_ANSWER, f"the store of {self._shown} answers {status}{named}")

    def _denied(self, named: str) -> Fault:
        if self._has_keys:
            way = "its credentials may not read it; correct them or their rights"
        else:
            way = "no credentials were given; add a Secret to its service account, or set the"
            way += " environment's"
        return Fault(Reason.DENIED, f"{self._shown} is not to be read{named}: {way}")


def _etag(meta: "ObjectMeta") -> str | None:
    return (meta["e_tag"] or "").strip('"') or None


def _slashes(path: str) -> list[int]:
    return [place for place, letter in enumerate(path) if letter == "/"]
