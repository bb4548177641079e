"""The drop-in for KServe's router image: `--graph-json '<spec>'`, a spec without its manifest.

It comes from KServe's controller, not from an author, and is read as its router reads it: keys that
we do not know are passed over, and `serviceUrl`, which the controller puts beside each
`serviceName`, is the one that counts.
"""

from typing import Any

from pydantic import ValidationError

from graph.codes import Code
from graph.loader.documents import Document, Documents, parse, read
from graph.loader.places import START, Place
from graph.problems import Located, Path, Problem
from graph.spec import API_VERSION, KIND, InferenceGraph
from graph.wording import shown


def load_spec_json(
    text: str | bytes, name: str = "graph", namespace: str = "default", file: str = "--graph-json"
) -> Documents:
    """One document: the manifest that this spec could have come from."""
    reads, problems = read(text, file)
    if problems:
        return Documents(file, (), tuple(problems))
    if len(reads) != 1 or not isinstance(reads[0][0], dict):
        problem = Code.NOT_A_RESOURCE.at((), 'expected one spec, as in `{"nodes": {...}}`')
        return Documents(file, (), (Located(file, 1, 1, problem),))
    spec, place = reads[0]
    data = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    _settle_targets(spec)
    document = Document(
        file, API_VERSION, KIND, name, namespace, data, Place(START, {"spec": place})
    )
    return Documents(file, (parse(document.having(_without_unknown_keys(data))),))


def _settle_targets(spec: dict[str, Any]) -> None:
    """One target a step, as KServe's router chooses: the node, else the URL."""
    nodes = spec.get("nodes")
    for node in nodes.values() if isinstance(nodes, dict) else ():
        steps = node.get("steps") if isinstance(node, dict) else None
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, dict):
                targets = [
                    key for key in ("nodeName", "serviceUrl", "serviceName") if step.get(key)
                ]
                for passed_over in targets[1:]:
                    del step[passed_over]


def _without_unknown_keys(data: dict[str, Any]) -> list[Problem]:
    """Takes them out of the data."""
    try:
        InferenceGraph.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        unknown: list[Path] = [
            fault["loc"] for fault in error.errors() if fault["type"] == "extra_forbidden"
        ]
    else:
        return []
    for path in unknown:
        owner: Any = data
        for part in path[:-1]:
            owner = owner[part]
        owner.pop(path[-1], None)
    return [
        Code.IGNORED_FIELD.at(path, f"unknown key {shown(str(path[-1]))} is passed over")
        for path in unknown
    ]
