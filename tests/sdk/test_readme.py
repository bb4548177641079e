"""The README's example runs as it stands, and prints what it says."""

import re
from pathlib import Path

import pytest

from controller.store.changes import Change
from controller.store.store import Store
from tests.kit.api_server import ApiServer
from tests.sdk.test_predict import Server, model

ROOT = Path(__file__).parents[2]

__all__ = ["model"]  # the fixture


def example() -> str:
    readme = (ROOT / "README.md").read_text()
    section = readme.partition("## Python SDK")[2].partition("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return str(code)


def test_the_example_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: Server,
) -> None:
    model.answer = (200, b'{"predictions": [1]}')

    def ready(store: Store, change: Change) -> None:
        if change.type == "ADDED":
            conditions = [{"type": "Ready", "status": "True"}]
            status = {"url": f"{model.url}/graphs/default/flowers", "conditions": conditions}
            store.replace_status(change.ref, status)

    with ApiServer(tmp_path, on_change=ready).running() as server:
        monkeypatch.setenv("GRAPHWAY_HOME", str(server.home.root))
        exec(compile(example(), "README.md", "exec"), {})  # noqa: S102  # ours
    printed = capsys.readouterr().out
    assert printed.startswith("apiVersion: serving.kserve.io/v1alpha1\nkind: InferenceGraph\n")
    assert printed.endswith("{'predictions': [1]}\n")
