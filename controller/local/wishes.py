"""A model that a unit mounts -> the request that brings it to this machine, with what opens it.

Reads the store at the moment of the fetch: a Secret that comes later is found by the next try.
"""

from collections.abc import Mapping

from controller.desired import Unit
from controller.local.home import Home
from controller.storage.credentials import from_environment
from controller.storage.request import Request, folder_name
from controller.view import View
from controller.workload import Mount


class Wishes:
    def __init__(self, view: View, home: Home, environ: Mapping[str, str]) -> None:
        self._view = view
        self._home = home
        self._environ = environ

    def request(self, service: str, unit: Unit, mount: Mount) -> Request | str:
        """Or why there is none."""
        credentials = from_environment(self._environ)
        if mount.uri is None:
            return "storage with a key is not read yet; use storageUri"
        target = self._home.models / folder_name(mount.uri, credentials)
        return Request(mount.uri, target, folder=unit.folder, credentials=credentials)
