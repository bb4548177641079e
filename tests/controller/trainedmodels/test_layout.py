"""What a server finds in the folder of a model."""

import json
from typing import Any

import pytest

from controller.trainedmodels.layout import settings

SKLEARN = "mlserver_sklearn.SKLearnModel"
OWN = {"name": "theirs", "implementation": "models.Mine", "parameters": {"extra": {"a": 1}}}

ROWS: dict[str, tuple[str, list[str], str | None, dict[str, Any] | None]] = {
    "one file, whatever its name": (
        "sklearn",
        ["iris.joblib"],
        None,
        {"name": "m", "implementation": SKLEARN, "parameters": {"uri": "./iris.joblib"}},
    ),
    "several: MLServer looks for the one it knows": (
        "xgboost",
        ["a.bst", "notes.txt"],
        None,
        {
            "name": "m",
            "implementation": "mlserver_xgboost.XGBoostModel",
            "parameters": {"uri": "."},
        },
    ),
    "a framework in capitals": (
        "SKLearn",
        ["x"],
        None,
        {"name": "m", "implementation": SKLEARN, "parameters": {"uri": "./x"}},
    ),
    "a framework that nobody knows": ("tensorrt", ["x"], None, None),
    "settings of its own keep all but the name": (
        "sklearn",
        ["x"],
        json.dumps(OWN),
        {
            "name": "m",
            "implementation": "models.Mine",
            "parameters": {"extra": {"a": 1}, "uri": "./x"},
        },
    ),
    "settings that say the place": (
        "sklearn",
        ["x", "y"],
        json.dumps({"parameters": {"uri": "./y"}}),
        {"name": "m", "implementation": SKLEARN, "parameters": {"uri": "./y"}},
    ),
    "settings for a framework that nobody knows": (
        "tensorrt",
        ["x"],
        json.dumps(OWN | {"parameters": {"uri": "./x"}}),
        {"name": "m", "implementation": "models.Mine", "parameters": {"uri": "./x"}},
    ),
    "settings that nobody can read are written anew": (
        "sklearn",
        ["x"],
        "{",
        {"name": "m", "implementation": SKLEARN, "parameters": {"uri": "./x"}},
    ),
    "settings that are no object": (
        "sklearn",
        ["x"],
        "[]",
        {"name": "m", "implementation": SKLEARN, "parameters": {"uri": "./x"}},
    ),
}


@pytest.mark.parametrize(("framework", "files", "own", "said"), ROWS.values(), ids=ROWS)
def test_settings(
    framework: str, files: list[str], own: str | None, said: dict[str, Any] | None
) -> None:
    text = settings("m", framework, files, own)
    assert (json.loads(text) if text else None) == said
