"""KServe's own manifests get the verdict that KServe would give, and come back as they were.

What is not in one of the two tables loads without a word and survives a round trip.
"""

from pathlib import Path

import pytest

from controller.resources.config import Config, config_of
from controller.resources.credentials import ConfigMap
from controller.resources.model import dump
from controller.resources.parse import Resources, parse
from graph.loader import Documents, load

SHARED = Path(__file__).parents[4] / "shared" / "data"
FOLDERS = ("kserve-isvcs", "kserve-runtimes", "kserve-config", "older-forms")
FILES = sorted(file for folder in FOLDERS for file in (SHARED / folder).glob("*.yaml"))

pytestmark = pytest.mark.skipif(not FILES, reason="KServe's manifests are not at hand")

# Templates of KServe's documentation: `image: {username}/torchserve` is no YAML.
TEMPLATES = ("006", "050", "051", "052", "053", "054", "055", "056", "057")
REFUSED = {  # file -> the code of its error
    **dict.fromkeys(TEMPLATES, "yaml-syntax"),
    # The webhook refuses a name there: the runtime's container has one.
    "030": "container-name",
    # One of its three services has a model and a container with the serving container's name.
    "033": "several-implementations",
    # nodeName stands beside the predictor: a cluster drops it, and kubectl says so.
    "079": "unknown-field",
}
OLDER = {  # file -> what is understood; KServe refuses the first two kinds, and drops the last two
    "007": "v1alpha2",
    "037": "v1alpha2",
    "018": "serving.kubeflow.org",
    "019": "serving.kubeflow.org",
    "033": "custom: {container",
    "011": "alibi",
    "012": "alibi",
    "013": "alibi",
    "014": "alibi",
    "alibi-explainer": "alibi",
    "canary-with-transformer": "canaryTrafficPercent",
}


def known_as(file: Path) -> str:
    return file.stem.partition("_")[0]


def read(file: Path) -> tuple[Documents, Resources]:
    documents = load(file.read_bytes(), file.name)
    return documents, parse(documents)


@pytest.mark.parametrize("file", FILES, ids=known_as)
def test_the_verdict(file: Path) -> None:
    documents, resources = read(file)
    problems = [*documents.problems, *resources.problems]
    errors = [p.problem.code for p in problems if p.is_error]
    assert errors == [code for code in [REFUSED.get(known_as(file))] if code]
    warnings = [p.problem for p in problems if not p.is_error]
    assert {p.code for p in warnings} <= {"older-form"}
    older = OLDER.get(known_as(file))
    assert any(older in p.message for p in warnings) if older else not warnings


@pytest.mark.parametrize("file", [f for f in FILES if known_as(f) not in OLDER], ids=known_as)
def test_the_round_trip(file: Path) -> None:
    for item in read(file)[1].objects.values():
        assert dump(item.resource) == item.document.data


def test_the_shipped_configuration_is_the_default() -> None:
    _, resources = read(SHARED / "kserve-config" / "inferenceservice-config.yaml")
    (found,) = resources.objects.values()
    assert isinstance(found.resource, ConfigMap)
    config, problems = config_of(found.resource)
    assert problems == []
    assert config.deployment_mode == "Knative"
    assert config.model_copy(update={"deploy": Config().deploy}) == Config()
