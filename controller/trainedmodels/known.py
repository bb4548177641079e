"""The TrainedModels that there are, by the service that they name: a look at one needs all of its
service, and reading hundreds from the store each time would cost more than the look.
"""

from collections.abc import Iterable

from controller.store.metadata import is_going
from controller.store.refs import Json
from controller.trainedmodels.decide import Model
from controller.trainedmodels.facts import key_of, model_of, service_of


class Known:
    """Objects of the store are shared with it: never to be changed."""

    def __init__(self) -> None:
        self._services: dict[str, dict[str, tuple[Json, Model]]] = {}  # by service and key
        self._names: dict[str, str] = {}  # the service that each names, by key

    def begin(self, everything: Iterable[Json]) -> None:
        self._services.clear()
        self._names.clear()
        for live in everything:
            self.take(live)

    def take(self, live: Json) -> None:
        """As it is now."""
        self.drop(live)
        key, service = key_of(live), service_of(live)
        self._names[key] = service
        self._services.setdefault(service, {})[key] = (live, model_of(live))

    def drop(self, live: Json) -> None:
        key = key_of(live)
        if (service := self._names.pop(key, None)) is not None:
            del self._services[service][key]
            if not self._services[service]:
                del self._services[service]

    def of(self, service: str) -> list[Json]:
        """Without those that are going."""
        found = self._services.get(service, {}).values()
        return [live for live, _ in found if not is_going(live)]

    def models(self, service: str) -> list[Model]:
        found = self._services.get(service, {}).values()
        return [model for live, model in found if not is_going(live)]
