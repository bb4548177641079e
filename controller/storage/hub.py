"""Models of a Hugging Face hub: huggingface_hub says which files a revision has, the download of
all stores brings them. So they come in parallel ranges, resume, and stop when they are cancelled,
which the library's own download, a blocking call, does not.

The listing fixes the commit: a model that is pushed meanwhile changes nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final
from urllib.parse import urlsplit

from controller.storage.checksum import Checksum
from controller.storage.credentials import Credentials
from controller.storage.locations import Family, HubModel
from controller.storage.names import safe_name
from controller.storage.outcome import Fault, Reason
from controller.storage.settings import StorageSettings
from controller.storage.source import Item
from controller.storage.stores import missing_library
from controller.storage.web import HeadersFor, Web

HUB: Final = "https://huggingface.co"


def hub_endpoint(credentials: Credentials) -> str:
    return (credentials.get("HF_ENDPOINT") or HUB).rstrip("/")


def hub_headers(credentials: Credentials) -> HeadersFor:
    """The token is for the hub alone: files lie elsewhere, at signed URLs."""
    hub, token = urlsplit(hub_endpoint(credentials)), credentials.get("HF_TOKEN")

    def headers_for(url: str) -> dict[str, str]:
        there = urlsplit(url)
        at_home = (there.scheme, there.netloc) == (hub.scheme, hub.netloc)
        return {"Authorization": f"Bearer {token}"} if token and at_home else {}

    return headers_for


class HubSource:
    def __init__(
        self, web: Web, location: HubModel, credentials: Credentials, settings: StorageSettings
    ) -> None:
        self._web = web
        self._location = location
        self._endpoint = hub_endpoint(credentials)
        self._token = credentials.get("HF_TOKEN")
        self._timeout_s = settings.stall_seconds

    async def items(self) -> Sequence[Item]:
        return await asyncio.to_thread(self._list)

    def read(self, item: Item, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        return self._web.read(item.place, start, end, None)  # a commit never changes

    def _list(self) -> Sequence[Item]:
        try:
            from huggingface_hub import HfApi, hf_hub_url  # noqa: PLC0415 - part of an extra
            from huggingface_hub import errors as known  # noqa: PLC0415
        except ImportError as error:
            raise missing_library(Family.HUB) from error
        model, revision = self._location.repository, self._location.revision
        try:
            found = HfApi(self._endpoint, token=self._token or False).model_info(
                model, revision=revision, files_metadata=True, timeout=self._timeout_s
            )
        except known.GatedRepoError as error:
            message = f"{model} is gated; ask for access on its page and give HF_TOKEN in a Secret"
            raise Fault(Reason.DENIED, message) from error
        except known.RevisionNotFoundError as error:
            raise Fault(Reason.NOT_FOUND, f"{model} has no revision {revision}; mend it") from error
        except known.RepositoryNotFoundError as error:
            private = (
                "or its token may not see it" if self._token else "or is private: give HF_TOKEN"
            )
            message = f"there is no model {model}, {private}; mend the URI or the Secret"
            raise Fault(Reason.NOT_FOUND, message) from error
        except known.HfHubHTTPError as error:
            raise self._refused(error.response.status_code) from error
        except (OSError, ValueError, known.HTTPError) as error:  # type: ignore[attr-defined]
            message = f"the hub {self._endpoint} does not answer"
            raise Fault(Reason.UNREACHABLE, message) from error
        items = []
        for file in found.siblings or ():
            name = safe_name(file.rfilename)
            if name is None or not found.sha:
                message = f"{model} has a file {file.rfilename!r}, which is no name for one here"
                raise Fault(Reason.BAD_NAME, message)
            checksum = Checksum("sha256", file.lfs.sha256) if file.lfs else None
            if checksum is None and file.blob_id:
                checksum = Checksum("git", file.blob_id)
            url = hf_hub_url(model, file.rfilename, revision=found.sha, endpoint=self._endpoint)
            etag = checksum.hexadecimal if checksum else f"{found.sha}/{name}"
            items.append(Item(name, url, file.size, etag, checksum))
        if not items:
            raise Fault(Reason.NOT_FOUND, f"{model} has no files; mend the URI")
        return items

    def _refused(self, status: int) -> Fault:
        model = self._location.repository
        if status in (401, 403):
            message = f"{model} may not be read ({status}); give HF_TOKEN in a Secret"
            return Fault(Reason.DENIED, message)
        if status in (408, 429) or status >= 500:
            return Fault(Reason.UNREACHABLE, f"the hub {self._endpoint} answers {status}")
        return Fault(Reason.BAD_ANSWER, f"the hub {self._endpoint} answers {status} for {model}")
