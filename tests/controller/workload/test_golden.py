"""Golden files: each folder of `cases` has manifests and the workload that becomes of them.

`manifest.yaml` begins with a sentence that says what the case is about. To add a case, add a
folder; `GRAPHWAY_WRITE_GOLDEN=1 pytest` writes what is rendered, to be read before it is kept.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.resources.annotations import EXPLAINER_RUNTIME
from controller.resources.containers import env_value
from controller.resources.inferenceservice import model_of
from controller.resources.model import dump, to_yaml
from controller.resources.parse import parse
from controller.runtimes import find, select
from controller.workload import Component, Workload, workload
from graph.loader import load

CASES = Path(__file__).parent / "cases"
WRITE = os.environ.get("GRAPHWAY_WRITE_GOLDEN") == "1"


def rendered(manifest: Path) -> list[dict[str, Any]]:
    found = parse(load(manifest.read_text(), manifest.name))
    assert not found.problems, "\n".join(map(str, found.problems))
    runtimes = [*found.runtimes.values()]
    made = []
    for service in found.services.values():
        predictor, namespace = service.resource.spec.predictor, service.resource.namespace
        model = model_of(predictor)
        several = predictor.worker_spec is not None
        selection = model and select(model, namespace, runtimes, worker_spec=several)
        explains = service.resource.metadata.annotations.get(EXPLAINER_RUNTIME, "")
        result = workload(
            service,
            selection.chosen if selection else None,
            (selection.protocol if selection else env_value(predictor.containers[0], "PROTOCOL"))
            or "v1",
            explainer_runtime=find(explains, namespace, runtimes),
        )
        assert isinstance(result, Workload), result
        made.append(as_data(result))
    return made


def as_data(made: Workload) -> dict[str, Any]:
    return {
        "service": made.key,
        "runtime": made.runtime,
        "protocol": made.protocol,
        "entry": made.entry.role.value,
        "components": {one.role.value: component(one) for one in made.components},
    }


def component(one: Component) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": one.name,
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "called": one.container.name,
        "mounts": [
            {"path": mount.path, "uri": mount.uri, "said": ".".join(map(str, mount.source))}
            for mount in one.mounts
        ],
        "pod": dump(one.pod),
    }
    if one.worker is not None:
        data["worker"] = {"name": one.worker.name, "nodes": one.worker.nodes}
        data["worker"]["pod"] = dump(one.worker.pod)
    return data


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_rendered_as_it_was(case: Path) -> None:
    manifest, expected = case / "manifest.yaml", case / "workload.yaml"
    assert manifest.read_text().startswith("# "), "a case says what it is about"
    made = rendered(manifest)
    if WRITE:
        expected.write_text("---\n".join(map(to_yaml, made)))
    assert made == [*yaml.safe_load_all(expected.read_text())]
