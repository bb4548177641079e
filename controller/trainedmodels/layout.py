"""What a server finds in the folder of a model: the model, and how to load it. Pure.

A model may bring its own `model-settings.json`, as MLServer reads it; only its name is ours then,
since callers and the repository API ask for the TrainedModel. Otherwise one is written from the
framework. Other servers of the V2 repository API do not mind the file.
"""

import json
from collections.abc import Sequence
from typing import Any

from controller.workload.defaults import MLSERVER_CLASSES

SETTINGS = "model-settings.json"

IMPLEMENTATIONS = {
    **MLSERVER_CLASSES,
    "alibi-detect": "mlserver_alibi_detect.AlibiDetectRuntime",
    "alibi-explain": "mlserver_alibi_explain.AlibiExplainRuntime",
    "catboost": "mlserver_catboost.CatboostModel",
    "huggingface": "mlserver_huggingface.HuggingFaceRuntime",
}


def settings(name: str, framework: str, files: Sequence[str], own: str | None) -> str | None:
    """The text of the file. `files`: what lies at the top of the model; `own`: the text that it
    brings. None: nobody here knows how MLServer loads the framework.
    """
    said = _object(own)
    implementation = IMPLEMENTATIONS.get(framework.lower())
    if said is None and implementation is None:
        return None
    made: dict[str, Any] = dict(said or {})
    made["name"] = name
    if implementation is not None:
        made.setdefault("implementation", implementation)
    parameters = made.get("parameters")
    if parameters is None or (isinstance(parameters, dict) and not parameters.get("uri")):
        made["parameters"] = {**(parameters or {}), "uri": _uri(files)}
    return json.dumps(made, indent=2)


def _object(text: str | None) -> dict[str, Any] | None:
    """None for what MLServer would not read either."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _uri(files: Sequence[str]) -> str:
    """A model in one file may have any name; of several, MLServer looks for names that it knows."""
    models = [name for name in files if name != SETTINGS]
    return f"./{models[0]}" if len(models) == 1 else "."
