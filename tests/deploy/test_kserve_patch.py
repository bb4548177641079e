"""deploy/kserve swaps the image of KServe's routers and nothing else."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.deploy.dockerfile import Dockerfile

ROOT = Path(__file__).parents[2]
PATCH = ROOT / "deploy" / "kserve" / "router-image.yaml"
GUIDE = ROOT / "docs" / "kubernetes.md"
KSERVE = ROOT.parent / "shared" / "data" / "kserve-config" / "inferenceservice-config.yaml"
QUANTITY = re.compile(r"\d+(\.\d+)?(m|[KMGT]i?)?")
Values = dict[str, Any]

with_kserve = pytest.mark.skipif(not KSERVE.exists(), reason="KServe's manifests are not here")


def router(config_map: Values) -> Values:
    return cast(Values, json.loads(config_map["data"]["router"]))


@pytest.fixture
def ours() -> Values:
    return router(yaml.safe_load(PATCH.read_text()))


def test_the_patch_is_no_resource_that_one_could_apply_by_mistake() -> None:
    assert list(yaml.safe_load(PATCH.read_text())) == ["data"]


def test_the_image_is_that_of_the_dockerfile(ours: Values) -> None:
    labels = Dockerfile.read(ROOT / "Dockerfile").final.last("LABEL").words
    title, version = (
        next(word for word in labels if word.startswith(f"org.opencontainers.image.{name}="))
        for name in ("title", "version")
    )
    assert ours["image"] == f"{title.split('=')[1]}:{version.split('=')[1]}"


def test_all_quantities_parse_or_kserve_reconciles_no_graph(ours: Values) -> None:
    for name in ("cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit"):
        assert QUANTITY.fullmatch(ours[name]), name


@with_kserve
def test_all_else_is_as_kserve_ships_it(ours: Values) -> None:
    theirs = router(yaml.safe_load(KSERVE.read_text()))
    assert ours == {**theirs, "image": ours["image"]}


@with_kserve
@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
def test_kubectl_merges_it_and_keeps_the_other_keys(ours: Values) -> None:
    merged = kubectl("patch", "--local", "-f", str(KSERVE), "--patch-file", str(PATCH))
    before = yaml.safe_load(KSERVE.read_text())
    assert router(merged) == ours
    assert merged["data"] | {"router": ""} == before["data"] | {"router": ""}


@with_kserve
@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq")
def test_the_guides_command_changes_the_image_alone() -> None:
    (program,) = re.findall(r"jq '(.+?)'", GUIDE.read_text())
    before = yaml.safe_load(KSERVE.read_text())
    before["data"]["router"] = json.dumps({**router(before), "headers": {"propagate": ["X-A"]}})
    after = json.loads(run("jq", program, given=json.dumps(before)))
    assert router(after) == {**router(before), "image": "graphway:0.1.0"}
    assert after["data"] | {"router": ""} == before["data"] | {"router": ""}


def kubectl(*arguments: str) -> Values:
    return cast(Values, json.loads(run("kubectl", *arguments, "-o", "json")))


def run(*command: str, given: str | None = None) -> str:
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout
