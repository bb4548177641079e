"""What servers of many models need of this machine: models fetched as any other, a folder to load
them from, and what they print when they cannot.
"""

import re
from pathlib import Path

from controller.local.backend import LocalBackend
from controller.local.settings import LocalSettings
from controller.local.wishes import Wishes
from controller.modelcache.models import Models
from controller.storage.outcome import FetchFailed
from controller.storage.wish import Model
from controller.store.refs import Json
from controller.trainedmodels.facts import digest_of
from controller.view import View
from controller.workload import Component

# An error as Python prints it at the end of a traceback: name.of.Error: words
_ERROR = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|NotFound|Interrupt)\b(: .*)?")
_LINES = 40


class LocalSupply:
    """`repositories` has the folder of each service."""

    def __init__(
        self,
        repositories: Path,
        view: View,
        wishes: Wishes,
        models: Models,
        backend: LocalBackend,
        settings: LocalSettings,
    ) -> None:
        self._repositories = repositories
        self._view = view
        self._wishes = wishes
        self._models = models
        self._backend = backend
        self._backoff = settings.backoff
        self.load_s = settings.model_load_seconds

    def pause_s(self, failures: int) -> float:
        return self._backoff.pause_s(failures + 1)

    def repository(self, service: str) -> Path:
        return self._repositories / service

    async def bring(self, service: str, model: Json, component: Component) -> Path | str:
        """With the service account of the server, as KServe's agent has it."""
        name = f"{model['metadata']['namespace']}/{model['metadata']['name']}"
        wanted = Model(
            model["metadata"]["namespace"],
            self._view.folder(model),
            model["spec"]["model"]["storageUri"],
            account=component.pod.service_account_name,
            annotations=component.annotations,
        )
        request = self._wishes.of(name, wanted)
        if isinstance(request, str):
            return request
        user = _user(service, model["metadata"]["name"], digest_of(model))
        fetched = await self._models.fetch(request, user=user)
        return fetched.message if isinstance(fetched, FetchFailed) else fetched.path

    def release(self, service: str, name: str, digest: str) -> None:
        """Nobody serves it any more: it may be evicted."""
        self._models.release(_user(service, name, digest))

    async def last_words(self, service: str, replica: str) -> str:
        key = f"{service}/{replica.removeprefix(service.partition('/')[2] + '-')}"
        found = ""
        async for line in self._backend.logs(key, tail=_LINES):
            if _ERROR.fullmatch(line):
                found = line
        return found


def _user(service: str, name: str, digest: str) -> str:
    """A model that changes is two users for a while."""
    return f"{service}/{name}@{digest}"
