"""Older forms: understood, told with today's form, and rewritten with every comment."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.resources.fix import fixed
from controller.resources.model import dump
from controller.resources.parse import parse
from graph.loader import load

DATA = Path(__file__).parents[4] / "shared" / "data"


def text(body: str, version: str = "serving.kserve.io/v1beta1", annotations: str = "") -> str:
    marks = f"\n  annotations: {{{annotations}}}" if annotations else ""
    head = f"apiVersion: {version}\nkind: InferenceService\nmetadata:\n  name: iris{marks}\n"
    return head + dedent(body).lstrip("\n")


MODEL = """
spec:
  predictor:
    sklearn:
      storageUri: s3://b/m
"""
CUSTOM = """
spec:
  predictor:
    custom:
      container:
        image: a
        env:
        - name: A
          value: b
"""
TODAY_CUSTOM = """
spec:
  predictor:
    containers:
      - image: a
        env:
        - name: A
          value: b
"""

FORMS = {  # older, words of the warning, today's
    "the group's old name": (
        text(MODEL, "serving.kubeflow.org/v1beta1"),
        "`serving.kserve.io/v1beta1` today",
        text(MODEL),
    ),
    "v1alpha2": (
        text(
            """
            spec:
              default:
                predictor:
                  parallelism: 2
                  sklearn:
                    storageUri: s3://b/m
            """,
            "serving.kserve.io/v1alpha2",
        ),
        "`spec.default.predictor` is `spec.predictor` today",
        text(
            """
            spec:
              predictor:
                containerConcurrency: 2
                sklearn:
                  storageUri: s3://b/m
            """
        ),
    ),
    "the older name of a mode": (
        text(MODEL, annotations="serving.kserve.io/deploymentMode: RawDeployment"),
        "`RawDeployment` is `Standard` today",
        text(MODEL, annotations="serving.kserve.io/deploymentMode: Standard"),
    ),
    "a share beside the predictor": (
        text(MODEL + "  canaryTrafficPercent: 20\n"),
        "`spec: {predictor: {..., canaryTrafficPercent: 20}}`",
        text(MODEL + "    canaryTrafficPercent: 20\n"),
    ),
    "a custom container": (text(CUSTOM), "is `containers: [{...}]` today", text(TODAY_CUSTOM)),
    "an alibi explainer": (
        text(
            MODEL + "  explainer:\n    alibi:\n      type: AnchorText\n      storageUri: s3://b/e\n"
            '      config:\n        seed: "1"\n'
        ),
        "names a ServingRuntime",
        text(
            MODEL + "  explainer:\n    containers:\n      - name: kserve-container\n"
            "        image: kserve/alibi-explainer:latest\n"
            "        args:\n        - --storage_uri\n        - /mnt/models\n        - AnchorText\n"
            "        - --seed\n        - '1'\n    storageUris:\n    - uri: s3://b/e\n"
        ),
    ),
    "an alibi explainer of a runtime": (
        text(
            MODEL + "  explainer:\n    alibi:\n      type: AnchorText\n",
            annotations="graphway.dev/explainer-runtime: mine",
        ),
        "of the runtime `mine`",
        text(
            MODEL + "  explainer:\n    containers:\n      - name: kserve-container\n"
            "        args:\n        - AnchorText\n",
            annotations="graphway.dev/explainer-runtime: mine",
        ),
    ),
}


@pytest.mark.parametrize(("older", "words", "today"), FORMS.values(), ids=FORMS)
def test_it_is_understood(older: str, words: str, today: str) -> None:
    found, expected = parse(load(older)), parse(load(today))
    assert expected.problems == []
    assert {p.problem.code for p in found.problems} == {"older-form"}
    assert any(words in p.problem.message for p in found.problems)
    (mine,), (theirs,) = found.objects.values(), expected.objects.values()
    assert dump(mine.resource) == dump(theirs.resource)


@pytest.mark.parametrize(("older", "words", "today"), FORMS.values(), ids=FORMS)
def test_it_is_rewritten(older: str, words: str, today: str) -> None:
    made = fixed(older)
    assert made is not None
    assert parse(load(made)).problems == []
    assert load(made)[0].data == load(today)[0].data
    assert fixed(made) is None
    flow = "annotations" in older  # a mapping on one line is written anew
    assert flow or made == today


def commented(source: str, chosen: set[int]) -> str:
    """Comments above and behind the lines that were chosen."""
    lines = []
    for number, line in enumerate(source.splitlines()):
        indent = " " * (len(line) - len(line.lstrip()))
        if number in chosen:
            lines += [f"{indent}# above {number}", f"{line} # behind {number}"]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("older", [older for older, _, _ in FORMS.values()], ids=FORMS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_comment_is_lost_and_nothing_else_changes(older: str, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(older.splitlines()) - 1)))
    source = commented(older, chosen)
    made = fixed(source)
    assert made is not None
    assert load(made)[0].data == load(fixed(older) or "")[0].data
    comments = re.findall(r"# (?:above|behind) \d+$", made, re.MULTILINE)
    assert sorted(comments) == sorted(
        f"# {where} {number}" for number in chosen for where in ("above", "behind")
    )


def test_what_it_has_to_move_takes_its_comment_along() -> None:
    source = text(MODEL + "  # a tenth\n  canaryTrafficPercent: 10 # for a day\n")
    assert fixed(source) == text(
        MODEL + "    # a tenth\n    canaryTrafficPercent: 10 # for a day\n"
    )


def test_documents_of_today_stay_to_the_byte() -> None:
    today = "---\n" + text(MODEL).replace("iris", '"a"  # odd') + "\n\n"
    graph = "---\napiVersion: serving.kserve.io/v1alpha1\nkind: InferenceGraph\nx:   {a:  b}\n"
    older = "--- # old\n" + text(CUSTOM)
    made = fixed(today + graph + older)
    assert made == today + graph + "--- # old\n" + text(TODAY_CUSTOM)


def test_line_ends_of_windows_stay() -> None:
    made = fixed(text(CUSTOM).replace("\n", "\r\n"))
    assert made == text(TODAY_CUSTOM).replace("\n", "\r\n")


LEFT = {
    "today's form": text(MODEL),
    "no YAML": "a: [",
    "nothing": "",
    "another kind": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
    "two predictors of v1alpha2": text(
        """
        spec:
          default: {predictor: {sklearn: {}}}
          canary: {predictor: {sklearn: {}}}
        """,
        "serving.kserve.io/v1alpha2",
    ),
    "a share said twice": text(MODEL + "    canaryTrafficPercent: 1\n  canaryTrafficPercent: 2\n"),
    "custom beside containers": text(CUSTOM + "    containers: []\n"),
    "a spec that is none": text("spec: 3\n"),
    "an explainer that is none": text(MODEL + "  explainer: {alibi: 3}\n"),
}


@pytest.mark.parametrize("source", LEFT.values(), ids=LEFT)
def test_what_does_not_map_is_left_alone(source: str) -> None:
    assert fixed(source) is None
    assert all(p.problem.code != "older-form" for p in parse(load(source)).problems)


def test_a_fault_in_an_older_form_stands_where_it_was_written() -> None:
    source = text(CUSTOM.replace("image: a", "image: 1"), "serving.kubeflow.org/v1beta1")
    (fault,) = [p for p in parse(load(source)).problems if p.is_error]
    assert (fault.problem.code, fault.line) == ("wrong-type", 9)


@pytest.mark.skipif(not DATA.exists(), reason="KServe's manifests are not at hand")
def test_every_older_form_of_kserves_manifests_is_rewritten() -> None:
    rewritten = 0
    for file in sorted([*(DATA / "kserve-isvcs").iterdir(), *(DATA / "older-forms").iterdir()]):
        source = file.read_text()
        before = parse(load(source))
        if any(p.problem.code == "older-form" for p in before.problems):
            made = fixed(source)
            assert made is not None, file.name
            after = parse(load(made))
            assert all(p.problem.code != "older-form" for p in after.problems)
            rewritten += 1
    assert rewritten == 11
