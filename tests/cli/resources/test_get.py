"""`graphway get`: tables, manifests and names, of what is there and of what is not."""

import json

import pytest
import yaml

from tests.cli.resources.conftest import Graphway, flowers, iris
from tests.kit.api_server import ApiServer, ref

READY = {
    "url": "http://127.0.0.1:3000",
    "conditions": [{"type": "Ready", "status": "True"}],
    "components": {"predictor": {"traffic": [{"latestRevision": True, "revisionName": "iris-1"}]}},
}


@pytest.fixture
def ready(stocked: ApiServer) -> ApiServer:
    stocked.act(lambda store: store.replace_status(ref("isvc", "iris"), READY))
    return stocked


def table(text: str) -> list[list[str]]:
    """Cells without the age, which only time knows."""
    return [line.split()[:-1] for line in text.splitlines()]


@pytest.mark.parametrize(
    "kind",
    ["isvc", "inferenceservice", "InferenceServices", "inferenceservices.serving.kserve.io"],
)
def test_a_table_of_a_kind_by_any_of_its_names(
    ready: ApiServer, graphway: Graphway, kind: str
) -> None:
    done = graphway("get", kind)
    assert done.exit_code == 0
    assert table(done.stdout) == [
        ["NAME", "URL", "READY", "PREV", "LATEST"],
        ["iris", "http://127.0.0.1:3000", "True"],
    ]


def test_columns_stand_in_line_three_apart(stocked: ApiServer, graphway: Graphway) -> None:
    stocked.act(lambda s: s.create(ref("ig", "").kind, flowers(name="a-much-longer-name")))
    head, *rows = graphway("get", "ig").stdout.splitlines()
    age = head.index("AGE")
    assert [row[age - 3 : age] for row in rows] == ["   ", "   "]
    assert all(row[age:].endswith("s") for row in rows)
    assert [row.split()[0] for row in rows] == ["a-much-longer-name", "flowers"]


def test_wide_has_all_columns(ready: ApiServer, graphway: Graphway) -> None:
    head, row = graphway("get", "isvc", "-o", "wide").stdout.splitlines()
    assert "LATESTREADYREVISION" in head
    assert "iris-1" in row


def test_all_namespaces_have_a_column(stocked: ApiServer, graphway: Graphway) -> None:
    stocked.act(lambda store: store.create(ref("isvc", "").kind, iris(namespace="lab")))
    assert [row[:2] for row in table(graphway("get", "isvc", "-A").stdout)] == [
        ["NAMESPACE", "NAME"],
        ["default", "iris"],
        ["lab", "iris"],
    ]
    assert [row[0] for row in table(graphway("get", "isvc", "-n", "lab").stdout)] == [
        "NAME",
        "iris",
    ]


def test_several_kinds_are_told_apart(stocked: ApiServer, graphway: Graphway) -> None:
    for words in (["all"], ["isvc,ig"], ["isvc/iris", "ig/flowers"]):
        done = graphway("get", *words)
        assert done.exit_code == 0
        first, second = done.stdout.strip().split("\n\n")
        assert first.splitlines()[1].startswith("inferenceservice.serving.kserve.io/iris ")
        assert second.splitlines()[1].startswith("inferencegraph.serving.kserve.io/flowers ")


def test_all_is_one_word_among_others(stocked: ApiServer, graphway: Graphway) -> None:
    graphway("apply", "-f", "-", stdin="{apiVersion: v1, kind: Secret, metadata: {name: s}}")
    said = graphway("get", "secrets,all,isvc", "-o", "name").stdout.splitlines()
    assert sorted(said) == [
        "inferencegraph.serving.kserve.io/flowers",
        "inferenceservice.serving.kserve.io/iris",
        "secret/s",
    ]
    assert graphway("get", "all,nonsense").exit_code == 2


def test_names_are_one_a_line(stocked: ApiServer, graphway: Graphway) -> None:
    assert graphway("get", "isvc,ig", "-o", "name").stdout.splitlines() == [
        "inferenceservice.serving.kserve.io/iris",
        "inferencegraph.serving.kserve.io/flowers",
    ]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_one_object_is_a_manifest(stocked: ApiServer, graphway: Graphway, form: str) -> None:
    found = yaml.safe_load(graphway("get", "ig", "flowers", "-o", form).stdout)
    assert found["kind"] == "InferenceGraph"
    assert found["spec"] == flowers()["spec"]
    assert "managedFields" not in found["metadata"]


def test_several_objects_are_a_list_that_can_be_applied(
    stocked: ApiServer, graphway: Graphway
) -> None:
    listed = graphway("get", "isvc,ig", "-o", "json").stdout
    found = json.loads(listed)
    assert (found["kind"], [item["kind"] for item in found["items"]]) == (
        "List",
        ["InferenceService", "InferenceGraph"],
    )
    again = graphway("apply", "-f", "-", stdin=listed)
    assert (again.exit_code, again.stderr) == (0, "")


def test_an_empty_list_is_one(server: ApiServer, graphway: Graphway) -> None:
    done = graphway("get", "isvc", "-o", "json")
    assert json.loads(done.stdout)["items"] == []


@pytest.mark.parametrize(
    ("labels", "names"),
    [("team=botany", ["iris"]), ("team!=botany", []), ("team in (botany,art)", ["iris"])],
)
def test_labels_select(
    stocked: ApiServer, graphway: Graphway, labels: str, names: list[str]
) -> None:
    found = graphway("get", "isvc", "-l", labels, "-o", "name").stdout.splitlines()
    assert found == [f"inferenceservice.serving.kserve.io/{name}" for name in names]


def test_nothing_there_is_no_fault(server: ApiServer, graphway: Graphway) -> None:
    done = graphway("get", "isvc")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "nothing found in namespace default; -A looks in all\n"


def test_what_is_there_is_shown_beside_what_is_not(stocked: ApiServer, graphway: Graphway) -> None:
    for form in ("table", "yaml"):
        done = graphway("get", "isvc", "iris", "rose", "-o", form)
        assert done.exit_code == 1
        assert "iris" in done.stdout
        assert done.stderr == (
            'inferenceservices.serving.kserve.io "rose" not found;'
            " `graphway get inferenceservices -A` lists what there is\n"
        )


USAGE = [
    ("no kind", ["get"], "say of which kind; there are inferenceservices, "),
    ("a kind that is nearly one", ["get", "infernceservice"], "did you mean inferenceservice?"),
    ("a kind far from any", ["get", "qqq"], "there is no kind 'qqq'; there are inference"),
    ("names of all", ["get", "all", "iris"], "`all` takes no names"),
    ("a name beside a pair", ["get", "isvc/iris", "flowers"], "beside KIND/NAME, each word"),
    ("a pair of three", ["get", "isvc/iris/x"], "beside KIND/NAME, each word"),
    ("half a pair", ["get", "isvc/"], "beside KIND/NAME, each word"),
    ("a name in all namespaces", ["get", "isvc", "iris", "-A"], "leave out -A and -l"),
    ("a name and labels", ["get", "isvc", "iris", "-l", "a=b"], "leave out -A and -l"),
    ("two kinds to watch", ["get", "isvc,ig", "-w"], "-w watches one kind"),
    ("two names to watch", ["get", "isvc", "a", "b", "-w"], "-w watches one kind"),
]


@pytest.mark.parametrize(("words", "told"), [u[1:] for u in USAGE], ids=[u[0] for u in USAGE])
def test_bad_usage_is_one_line_that_helps(
    server: ApiServer, graphway: Graphway, words: list[str], told: str
) -> None:
    done = graphway(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_selector_that_is_none_is_refused_by_the_server(
    server: ApiServer, graphway: Graphway
) -> None:
    done = graphway("get", "isvc", "-l", "a b")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "unable to parse the label selector" in done.stderr


def test_cells_cannot_move_the_cursor(stocked: ApiServer, graphway: Graphway) -> None:
    status = {"url": "http://\x1b[2J\n127.0.0.1"}
    stocked.act(lambda store: store.replace_status(ref("isvc", "iris"), status))
    assert "http:// [2J 127.0.0.1" in graphway("get", "isvc").stdout
