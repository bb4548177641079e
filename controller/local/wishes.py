"""A model that a unit mounts -> the request that brings it to this machine, with what opens it.

The rules are those of `controller.storage.wish`; here they get what the store holds at the moment
of the fetch, so that a Secret that comes later is found by the next try.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from controller.desired import Unit
from controller.local.home import Home
from controller.modelcache.known import folder_of
from controller.modelcache.rules import cache_name
from controller.resources.credentials import ConfigMap, Secret, ServiceAccount
from controller.resources.defaulting import cache_of, part_of
from controller.resources.inferenceservice import PredictorSpec, StorageSpec
from controller.resources.localmodel import AnyLocalModelCache
from controller.resources.storagecontainer import AnyStorageContainer
from controller.storage.request import Request
from controller.storage.wish import Model, Objects, wish
from controller.view import View
from controller.workload import Mount, Role

log = logging.getLogger("graphway.storage")

_AUTHORITIES = "cabundle.crt"


class Wishes:
    def __init__(
        self,
        view: View,
        home: Home,
        environ: Mapping[str, str],
        uri_map: Mapping[str, Path],
        node: str,
    ) -> None:
        self._view = view
        self._node = node
        self._models = home.models
        self._environ = environ
        self._uri_map = uri_map
        self._warned: set[tuple[str, str]] = set()

    def request(self, service: str, unit: Unit, mount: Mount) -> Request | str:
        namespace = service.partition("/")[0]
        component = unit.component
        declared = component.declared
        if (cached := self._cached(namespace, unit, mount)) is not None:
            return cached
        model = Model(
            namespace,
            unit.folder,
            mount.uri,
            mount.storage,
            component.pod.service_account_name,
            declared.storage_container_name if isinstance(declared, PredictorSpec) else None,
            annotations=component.annotations,
        )
        return self.of(service, model)

    def of_cache(self, cache: AnyLocalModelCache) -> Request | str:
        """Secrets are those of its namespace; of one of the cluster, those of the jobs that would
        fetch it there.
        """
        spec = cache.spec
        namespace = cache.metadata.namespace or self._view.config().local_model.job_namespace
        storage = spec.storage
        model = Model(
            namespace,
            folder_of(cache),
            spec.source_model_uri,
            StorageSpec(key=storage.key, parameters=storage.parameters) if storage else None,
            spec.service_account_name,
            workload_type="localModelDownloadJob",
        )
        return self.of(cache_name(cache), model)

    def _cached(self, namespace: str, unit: Unit, mount: Mount) -> Request | str | None:
        """None: no cache keeps it."""
        component = unit.component
        if component.role is not Role.PREDICTOR or mount.source[-1] != "storageUri":
            return None
        caches = self._view.caches(self._node)
        if mount.uri is None or not caches:
            return None
        cache = cache_of(mount.uri, namespace, component.annotations, caches)
        if cache is None:
            return None
        request = self.of_cache(cache)
        if isinstance(request, str):
            return f"{cache.kind} {cache.name}: {request}"
        return replace(request, inside=part_of(cache, mount.uri) or "")

    def of(self, who: str, model: Model) -> Request | str:
        """Or everything that is wrong with it."""
        objects = self._objects(model.namespace)
        found = wish(model, objects, self._environ, self._models, self._uri_map)
        if isinstance(found, list):
            return "; ".join(found)
        for warning in found.warnings:
            if (who, warning) not in self._warned:  # it is asked again and again
                self._warned.add((who, warning))
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
