"""Forms of manifests that KServe has left behind, and people still paste: understood as today's.

Pure, and told as changes of the data in place. So the same functions serve whoever reads a manifest
(on a copy of it) and `graphway check --fix` (on a document that knows its comments). Each says what
it changed in a warning that shows today's form. `origins` leads a path of the new data back to
where the file has it.
"""

from collections.abc import Callable, Iterator, MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

from controller.resources.annotations import DEPLOYMENT_MODE, EXPLAINER_RUNTIME, OLDER_MODES
from controller.resources.codes import Code
from graph.problems import Path, Problem
from graph.wording import shown

Data = MutableMapping[str, Any]

GROUP, OLD_GROUP = "serving.kserve.io", "serving.kubeflow.org"
TODAY = f"{GROUP}/v1beta1"
ALPHA = (f"{GROUP}/v1alpha2", f"{OLD_GROUP}/v1alpha2")


# Of the last KServe that knew the key; used where no runtime is named.
ALIBI_IMAGE = "kserve/alibi-explainer"
_COMPONENTS = ("predictor", "transformer", "explainer")
_FIX = "`graphway check --fix` rewrites it"


@dataclass(frozen=True, slots=True)
class Change:
    """What was at `old` is at `new`."""

    old: Path
    new: Path
    message: str


def modernize(data: Data) -> list[Change]:
    """Changes the data to today's form, as far as it is an older one that maps."""
    if data.get("kind") != "InferenceService":
        return []
    return [change for form in _FORMS for change in form(data)]


def warnings(changes: Sequence[Change]) -> list[Problem]:
    return [
        Code.OLDER_FORM.at(origin(change.old, changes[:done]), f"{change.message}; {_FIX}")
        for done, change in enumerate(changes)
    ]


def origin(path: Path, changes: Sequence[Change]) -> Path:
    """Where the file has what the new data has at this path: the last move is undone first."""
    for change in reversed(changes):
        if path[: len(change.new)] == change.new:
            path = (*change.old, *path[len(change.new) :])
    return path


def _group(data: Data) -> Iterator[Change]:
    given = data.get("apiVersion")
    if given == f"{OLD_GROUP}/v1beta1":
        data["apiVersion"] = TODAY
        yield _change(("apiVersion",), f"{shown(given)} is {shown(TODAY)} today")


def _alpha(data: Data) -> Iterator[Change]:
    """v1alpha2 had `default` and `canary` endpoints, each with its components."""
    spec = data.get("spec")
    if data.get("apiVersion") not in ALPHA or not isinstance(spec, MutableMapping):
        return
    default = spec.get("default")
    if "canary" in spec or not isinstance(default, MutableMapping):
        return  # two versions of a predictor in one manifest: no field of today says it
    yield _change(("apiVersion",), f"{shown(data['apiVersion'])} is {shown(TODAY)} today")
    data["apiVersion"] = TODAY
    del spec["default"]
    for key, value in default.items():
        spec[key] = value
        yield _change(
            ("spec", "default", key),
            f"`spec.default.{key}` is `spec.{key}` today",
            ("spec", key),
        )
    for name in _COMPONENTS:
        component = spec.get(name)
        if isinstance(component, MutableMapping) and "parallelism" in component:
            _rename(component, "parallelism", "containerConcurrency")
            yield _change(
                ("spec", name, "parallelism"),
                "`parallelism` is `containerConcurrency` today",
                ("spec", name, "containerConcurrency"),
            )


def _mode(data: Data) -> Iterator[Change]:
    annotations = _inside(data, "metadata", "annotations")
    given = annotations.get(DEPLOYMENT_MODE)
    if isinstance(given, str) and given in OLDER_MODES:
        annotations[DEPLOYMENT_MODE] = OLDER_MODES[given]
        yield _change(
            ("metadata", "annotations", DEPLOYMENT_MODE),
            f"{shown(given)} is {shown(OLDER_MODES[given])} today",
        )


def _canary(data: Data) -> Iterator[Change]:
    """The share of the newest revision of the predictor, said of the whole service."""
    spec = _inside(data, "spec")
    predictor = spec.get("predictor")
    if "canaryTrafficPercent" not in spec or not isinstance(predictor, MutableMapping):
        return
    if "canaryTrafficPercent" in predictor:
        return  # said twice: which one counts is the author's to say
    predictor["canaryTrafficPercent"] = share = spec.pop("canaryTrafficPercent")
    yield _change(
        ("spec", "canaryTrafficPercent"),
        "`canaryTrafficPercent` stands in the predictor today: "
        f"`spec: {{predictor: {{..., canaryTrafficPercent: {_plain(share)}}}}}`",
        ("spec", "predictor", "canaryTrafficPercent"),
    )


def _custom(data: Data) -> Iterator[Change]:
    for name in _COMPONENTS:
        component = _inside(data, "spec", name)
        container = _inside(component, "custom").get("container")
        if not isinstance(container, MutableMapping) or "containers" in component:
            continue
        _rename(component, "custom", "containers", [container])
        yield _change(
            ("spec", name, "custom", "container"),
            "`custom: {container: {...}}` is `containers: [{...}]` today",
            ("spec", name, "containers", 0),
        )


def _alibi(data: Data) -> Iterator[Change]:
    explainer = _inside(data, "spec", "explainer")
    alibi = explainer.get("alibi")
    if not isinstance(alibi, MutableMapping) or "containers" in explainer:
        return
    runtime = _inside(data, "metadata", "annotations").get(EXPLAINER_RUNTIME)
    container: dict[str, Any] = {k: value for k, value in alibi.items() if k not in _ALIBI_KEYS}
    container = {"name": "kserve-container"} | container
    if runtime is None:
        container.setdefault("image", f"{ALIBI_IMAGE}:{alibi.get('runtimeVersion', 'latest')}")
    args = [*_listed(container.get("args")), *_alibi_args(alibi)]
    container["args"] = args
    _rename(explainer, "alibi", "containers", [container])
    if "storageUri" in alibi:
        explainer.setdefault("storageUris", [{"uri": alibi["storageUri"]}])
    named = (
        f"of the runtime {shown(str(runtime))}"
        if runtime is not None
        else f"with {ALIBI_IMAGE}, which KServe has left behind, unless the annotation"
        f" `{EXPLAINER_RUNTIME}` names a ServingRuntime for it"
    )
    yield _change(
        ("spec", "explainer", "alibi"),
        "an alibi explainer is a container today: `containers: [{name: kserve-container, args:"
        f" [{', '.join(map(str, args))}]}}]`, {named}",
        ("spec", "explainer", "containers", 0),
    )


_ALIBI_KEYS = ("type", "storageUri", "runtimeVersion", "config", "storage")


def _alibi_args(alibi: Data) -> Iterator[str]:
    """As KServe called its explainer."""
    if "storageUri" in alibi:
        yield from ("--storage_uri", "/mnt/models")
    if isinstance(kind := alibi.get("type"), str):
        yield kind
    config = _inside(alibi, "config")
    for key in sorted(config):
        yield from (f"--{key}", str(config[key]))


# In this order: what the earlier ones uncover, the later ones see.
_FORMS: tuple[Callable[[Data], Iterator[Change]], ...] = (
    _group,
    _alpha,
    _mode,
    _canary,
    _custom,
    _alibi,
)


def _change(old: Path, message: str, new: Path | None = None) -> Change:
    return Change(old, new or old, message)


def _inside(data: Data, *path: str) -> Data:
    """The mapping there; an empty one where there is none."""
    here: Any = data
    for part in path:
        here = here.get(part) if isinstance(here, MutableMapping) else None
    return here if isinstance(here, MutableMapping) else {}


def _rename(mapping: Data, old: str, new: str, value: Any = None) -> None:
    """At the same place among its keys."""
    items = list(mapping.items())
    mapping[new] = mapping.pop(old) if value is None else value
    if value is not None:
        del mapping[old]
    for key, _ in items[[key for key, _ in items].index(old) + 1 :]:
        mapping[key] = mapping.pop(key)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, MutableSequence) else []


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, int | float) else "..."
