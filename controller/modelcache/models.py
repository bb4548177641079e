"""The models of this machine: who asks for one gets it, and has it until he lets go of it.

A model is held from the moment when somebody asks, so that nobody evicts it between the download
and its use, in this process or in another one. A cache may say first that there is no room.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from controller.storage.fetch import Fetcher, unwatched
from controller.storage.outcome import Fault, Fetched, FetchFailed, Progress, Reason
from controller.storage.request import Request
from controller.storage.shelf import Hold, evict, hold
from controller.storage.threads import in_thread

log = logging.getLogger("graphway.storage")


async def welcome(_model: str) -> str | None:
    """For a machine without caches."""
    return None


class Models:
    """Models are called as their folders. A user is `namespace/service/unit`."""

    def __init__(self, fetcher: Fetcher, shelf: Path) -> None:
        self.shelf = shelf
        self.admitted: Callable[[str], Awaitable[str | None]] = welcome  # or why it may not come
        self.changed: Callable[[], None] = lambda: None  # something has come, or was let go of
        self._fetcher = fetcher
        self._users: dict[str, dict[str, Hold | None]] = {}  # of each model
        # By user and URI, and whether he has it.
        self._asked: dict[tuple[str, str], tuple[Request, bool]] = {}
        self._kept: dict[str, Hold] = {}

    def users(self) -> dict[str, tuple[str, ...]]:
        return {model: tuple(users) for model, users in self._users.items()}

    async def fetch(
        self, request: Request, progress: Progress = unwatched, *, user: str
    ) -> Fetched | FetchFailed:
        """Cancel it to stop the download, unless others wait for it too."""
        if self._fetcher.in_place(request) is not None:
            return await self._fetcher.fetch(request, progress)
        request = self._same(request, user)
        model = request.target.name
        try:
            await self._use(model, user, request)
        except Fault as fault:
            return fault.failed
        if (why := await self.admitted(model)) is not None:
            return FetchFailed(Reason.DISK_FULL, why)
        found = await self._fetcher.fetch(request, progress)
        if isinstance(found, Fetched):
            self._asked[user, request.uri] = request, True
            self.changed()
        return found

    def _same(self, request: Request, user: str) -> Request:
        """Who has a model goes on with that one, though he would now get it elsewhere."""
        before, has_it = self._asked.get((user, request.uri), (request, False))
        if has_it:
            return before
        if before.target != request.target:
            self._let_go(before.target.name, user)
        self._asked[user, request.uri] = request, False
        return request

    async def _use(self, model: str, user: str, request: Request) -> None:
        """Known at once to whoever decides what stays; on the disk a moment later."""
        users = self._users.setdefault(model, {})
        if users.setdefault(user, None) is not None:
            return
        held = await hold(request.target)
        users = self._users.get(model, {})
        if user not in users or users[user] is not None:  # let go of meanwhile, or held by now
            held.release()
        else:
            users[user] = held
            held.used_now()

    async def prefetch(self, request: Request) -> Fetched | FetchFailed:
        """For a cache, which keeps it by `keep`."""
        return await self._fetcher.fetch(request)

    def release(self, user: str) -> None:
        """He uses nothing any more."""
        for model in [*self._users]:
            self._let_go(model, user)
        self._asked = {key: kept for key, kept in self._asked.items() if key[0] != user}
        self.changed()

    def _let_go(self, model: str, user: str) -> None:
        users = self._users.get(model, {})
        if (held := users.pop(user, None)) is not None:
            held.used_now()
            held.release()
        if not users:
            self._users.pop(model, None)

    def used_now(self) -> None:
        """All that have users: for who is killed before he can say so."""
        for users in self._users.values():
            for held in users.values():
                if held is not None:
                    held.used_now()

    async def keep(self, models: Collection[str]) -> None:
        """These and no others, used or not."""
        for model in self._kept.keys() - set(models):
            self._kept.pop(model).release()
        for model in models:
            if model not in self._kept:
                try:
                    self._kept[model] = await hold(self.shelf / model)
                except Fault as fault:
                    log.warning("model %s is not held: %s", model, fault.failed.message)

    async def evict(self, model: str, *, remember: bool = False) -> bool:
        """False: somebody uses it, perhaps another process."""
        if model in self._users:
            return False
        if (kept := self._kept.pop(model, None)) is not None:
            kept.release()
        await self._fetcher.stopped(self.shelf / model)
        try:
            return await in_thread(evict, self.shelf / model, remember=remember)
        except (OSError, Fault) as error:
            log.warning("model %s is not evicted: %s", model, error)
            return False

    def close(self) -> None:
        """In the end: the kernel would do it too, but a test has several of them in a process."""
        for model in [*self._kept]:
            self._kept.pop(model).release()
        for users in [*self._users.values()]:
            for user in [*users]:
                self.release(user)


def by_service(users: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """Users of models, without their units."""
    return {
        model: tuple(dict.fromkeys(user.rpartition("/")[0] for user in theirs))
        for model, theirs in users.items()
    }
