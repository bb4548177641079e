"""What every runtime of KServe's becomes, to the letter: by digests, since its files are not ours
to keep here.

A digest that is another one comes with what is rendered now, to be read;
`GRAPHWAY_WRITE_GOLDEN=1 pytest` keeps it then. What a rendering should be is said by the cases of
our own (`test_golden`) and by the tables beside them.
"""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from controller.resources.model import to_yaml
from controller.resources.parse import Runtime, Service
from controller.resources.servingruntime import SupportedModelFormat
from controller.runtimes import select
from controller.workload import Workload, workload
from tests.controller.manifests import only_service, service
from tests.controller.workload.test_golden import WRITE, as_data
from tests.controller.workload.test_kserve_runtimes import DATA, RUNTIMES, model_in, served

GOLDEN = Path(__file__).with_name("kserve-runtimes.digests")
KNOWN = dict(reversed(line.split("  ", 1)) for line in GOLDEN.read_text().splitlines())
GPU = ", resources: {limits: {nvidia.com/gpu: '2'}}, args: [--more]"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="KServe's files are not here")


def service_of(runtime: Runtime, entry: SupportedModelFormat, more: str) -> Service:
    version = f", version: '{entry.version}'" if entry.version else ""
    several = "\nworkerSpec: {}" if runtime.resource.spec.worker_spec else ""
    return only_service(
        service(
            f"model: {{modelFormat: {{name: {entry.name}{version}}}, runtime: {runtime.name}, "
            f"storageUri: 'pvc://models/iris'{more}}}{several}",
            annotations="{serving.kserve.io/autoscalerClass: none}",
        )
    )


CASES = {
    f"{runtime.name} {entry.name} {entry.version or '-'} {words}": (runtime, entry, more)
    for runtime, entry in served()
    for words, more in (("plain", ""), ("on two GPUs", GPU))
}


@pytest.mark.parametrize("name", CASES)
def test_rendered_as_it_was(name: str) -> None:
    runtime, entry, more = CASES[name]
    of = service_of(runtime, entry, more)
    selection = select(model_in(of), "default", RUNTIMES)
    made = workload(of, runtime, selection.protocol or "")
    assert isinstance(made, Workload), made
    data = as_data(made)
    digest = sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    if WRITE:
        KNOWN[name] = digest
        lines = [f"{KNOWN[each]}  {each}\n" for each in CASES if each in KNOWN]
        GOLDEN.write_text("".join(lines))
    assert KNOWN.get(name) == digest, to_yaml(data)


def test_every_digest_is_of_a_case() -> None:
    assert KNOWN.keys() == CASES.keys()
