"""What the files of `up` say of the services that graphs call, before anything runs."""

from pathlib import Path

import pytest

from cli.manifests import Manifests
from controller.local.built_in import built_in_runtimes
from controller.local.plan import Machine
from router.files import FileSource
from tests.controller.backend import fake
from tests.controller.manifests import service
from tests.controller.test_up import GRAPH, write

NO_MODEL = service("sklearn: {storageUri: ./nothing}")
CASES = {
    "it is there": ([fake("iris") + GRAPH], set()),
    "its model is missing": ([NO_MODEL + GRAPH], {"missing-model"}),
    "nobody serves its format": ([service("pmml: {storageUri: s3://b/m}") + GRAPH], {"no-runtime"}),
    "a key is misspelt": ([service("sklern: {}") + GRAPH], {"unknown-field", "no-implementation"}),
    "it is not there": ([GRAPH.strip().removeprefix("---")], {"unknown-service"}),
}


@pytest.mark.parametrize(("texts", "codes"), CASES.values(), ids=CASES)
def test_a_service_that_cannot_run_is_there_all_the_same(
    tmp_path: Path, texts: list[str], codes: set[str]
) -> None:
    write(tmp_path, *texts)
    manifests = Manifests(Machine("3.11.7", {}), built_in_runtimes())
    loaded = FileSource([str(tmp_path)], declared=manifests).load()
    assert {each.problem.code for each in loaded.problems} == codes
    addresses = loaded.endpoints["default/iris"].addresses
    assert bool(addresses) is ("unknown-service" in codes)  # a cluster's, where nobody is named
