"""`graphway up --dry-run` of what a running test would have to wait for: nothing is started."""

import re
from pathlib import Path

import pytest

from cli.dry_run import dry_run
from controller.local.plan import Machine

MANIFEST = """
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {word: s3cret}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: own}
spec:
  predictor:
    containers:
      - name: kserve-container
        command: [sh, serve.sh]
        env:
          - {name: WORD, valueFrom: {secretKeyRef: {name: token, key: word}}}
          - {name: PLAIN, value: as it stands}
        resources: {limits: {memory: 100Mi, cpu: 500m, nvidia.com/gpu: 1}}
"""


def test_a_variable_from_a_secret_hides_nothing_but_its_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.yaml").write_text(MANIFEST)
    assert dry_run([str(tmp_path)], Machine("3.11.7", {}, which=lambda _: "/bin/sh")) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = [re.sub(r"\s+", " ", line.strip()) for line in printed.out.splitlines()]
    assert lines == [
        "InferenceService default/own: POST /v1/models/own:predict",
        "predictor",
        "command sh serve.sh",
        "WORD=(from elsewhere)",
        "PLAIN=as it stands",
        "INFERENCE_SERVICE_NAME=own",
        "GPUs 1",
        "memory 104.9 MB at most",
        "CPUs 0.5 at most",
    ]
