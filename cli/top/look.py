"""One look at a running graphway: its objects and its counters, asked of the admin port."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.top.figures import Sample, read
from cli.top.rows import Known
from controller.client.api import Api, Json, Selection


@dataclass(frozen=True, slots=True)
class Looked:
    known: Known
    sample: Sample


def look(api: Api, namespace: str | None, clock: Callable[[], float] = time.monotonic) -> Looked:
    """Raises what the client raises, where nobody answers or something is refused."""

    def all_of(api_version: str, name: str) -> Sequence[Json]:
        kind = api.kind_of(api_version, name)
        assert kind is not None  # of each server of this API
        items: Sequence[Json] = api.list(kind, Selection(namespace))["items"]
        return items

    known = Known(
        graphs=all_of("serving.kserve.io/v1alpha1", "InferenceGraph"),
        services=all_of("serving.kserve.io/v1beta1", "InferenceService"),
        revisions=all_of("apps/v1", "ControllerRevision"),
        pods=all_of("v1", "Pod"),
    )
    with api.connection.lines("/metrics", accept="text/plain", silence_s=SILENCE_S) as lines:
        at = clock()
        sample = read((line.decode() for line in lines), at)
    return Looked(known, sample)


SILENCE_S = 5.0
