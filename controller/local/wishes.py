"""A model that a unit mounts -> the request that brings it to this machine, with what opens it.

The rules are those of `controller.storage.wish`; here they get what the store holds at the moment
of the fetch, so that a Secret that comes later is found by the next try.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from controller.desired import Unit
from controller.local.home import Home
from controller.resources.credentials import ConfigMap, Secret, ServiceAccount
from controller.resources.inferenceservice import PredictorSpec
from controller.resources.storagecontainer import AnyStorageContainer
from controller.storage.request import Request
from controller.storage.wish import Model, Objects, wish
from controller.view import View
from controller.workload import Mount

log = logging.getLogger("graphway.storage")

_AUTHORITIES = "cabundle.crt"


class Wishes:
    def __init__(
        self,
        view: View,
        home: Home,
        environ: Mapping[str, str],
        uri_map: Mapping[str, Path],
    ) -> None:
        self._view = view
        self._models = home.models
        self._environ = environ
        self._uri_map = uri_map

    def request(self, service: str, unit: Unit, mount: Mount) -> Request | str:
        namespace = service.partition("/")[0]
        component = unit.component
        declared = component.declared
        model = Model(
            namespace,
            unit.folder,
            mount.uri,
            mount.storage,
            component.pod.service_account_name,
            declared.storage_container_name if isinstance(declared, PredictorSpec) else None,
            component.annotations,
        )
        return self.of(service, model)

    def of(self, who: str, model: Model) -> Request | str:
        """Or everything that is wrong with it."""
        objects = self._objects(model.namespace)
        found = wish(model, objects, self._environ, self._models, self._uri_map)
        if isinstance(found, list):
            return "; ".join(found)
        for warning in found.warnings:
            log.warning("%s: %s", who, warning)
        return found.request

    def _objects(self, namespace: str) -> Objects:
        view = self._view
        maps = view.all(ConfigMap, namespace)
        return Objects(
            secrets={secret.name: secret for secret in view.all(Secret, namespace)},
            accounts={account.name: account for account in view.all(ServiceAccount, namespace)},
            authorities={
                each.name: each.data[_AUTHORITIES] for each in maps if _AUTHORITIES in each.data
            },
            containers=[
                *view.all(AnyStorageContainer, namespace, "StorageContainer"),
                *view.all(AnyStorageContainer, None, "ClusterStorageContainer"),
            ],
            config=view.config().credentials,
        )
