"""`graphway apply` and `delete`: what files say, told with its place when it is wrong."""

import asyncio
import json
from pathlib import Path

import pytest

from controller.store.changes import Change
from controller.store.refs import Json
from controller.store.store import Store
from tests.cli.resources.conftest import Graphway, flowers, iris
from tests.kit.api_server import ApiServer, ref

ISVC = "inferenceservice.serving.kserve.io"
IG = "inferencegraph.serving.kserve.io"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a service and a graph."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    write(folder / "a.yaml", iris(), flowers())
    return folder


def write(file: Path, *resources: Json) -> Path:
    file.write_text("\n---\n".join(map(json.dumps, resources)))
    return file


def kept(server: ApiServer, word: str, name: str, namespace: str = "default") -> Json | None:
    return server.act(lambda store: store.find(ref(word, name, namespace)))


def test_apply_says_what_became_of_each(server: ApiServer, graphway: Graphway, files: Path) -> None:
    apply = ("apply", "-f", str(files))
    assert graphway(*apply).stdout == f"{ISVC}/iris created\n{IG}/flowers created\n"
    assert graphway(*apply).stdout == f"{ISVC}/iris unchanged\n{IG}/flowers unchanged\n"
    write(files / "a.yaml", iris(labels={"team": "botany"}), flowers())
    assert graphway(*apply).stdout == f"{ISVC}/iris configured\n{IG}/flowers unchanged\n"


def test_what_is_no_longer_said_goes_and_what_others_said_stays(
    server: ApiServer, graphway: Graphway, files: Path
) -> None:
    write(files / "a.yaml", iris(labels={"team": "botany"}))
    graphway("apply", "-f", str(files))
    graphway("stop", "iris")
    write(files / "a.yaml", iris())
    graphway("apply", "-f", str(files))
    metadata = (kept(server, "isvc", "iris") or {})["metadata"]
    assert "labels" not in metadata
    assert metadata["annotations"] == {"serving.kserve.io/stop": "true"}


def test_a_dry_run_changes_nothing(server: ApiServer, graphway: Graphway, files: Path) -> None:
    done = graphway("apply", "--dry-run", "-f", str(files))
    assert done.stdout == f"{ISVC}/iris created (dry run)\n{IG}/flowers created (dry run)\n"
    assert kept(server, "isvc", "iris") is None


def test_apply_can_print_the_result(server: ApiServer, graphway: Graphway, files: Path) -> None:
    found = json.loads(graphway("apply", "-f", str(files), "-o", "json").stdout)
    assert [item["metadata"]["generation"] for item in found["items"]] == [1, 1]


def test_standard_input_is_a_file(server: ApiServer, graphway: Graphway) -> None:
    done = graphway("apply", "-f", "-", stdin=json.dumps(iris()))
    assert (done.exit_code, done.stdout) == (0, f"{ISVC}/iris created\n")


def test_the_namespace_is_for_what_names_none(
    server: ApiServer, graphway: Graphway, files: Path
) -> None:
    write(files / "a.yaml", iris(), flowers(namespace="lab"))
    assert graphway("apply", "-n", "lab", "-f", str(files)).exit_code == 0
    assert kept(server, "isvc", "iris", "lab")
    done = graphway("apply", "-n", "other", "-f", str(files))
    assert done.exit_code == 2
    assert "a.yaml:3:104: error: it is in namespace lab, not in other" in done.stderr
    assert kept(server, "isvc", "iris", "other") is None


def test_all_problems_of_all_files_are_told_and_nothing_is_sent(
    server: ApiServer, graphway: Graphway, files: Path
) -> None:
    (files / "b.yaml").write_text(
        "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: b}\n"
        "spec:\n  predictr: {}\n"
    )
    broken = flowers()
    broken["spec"]["nodes"]["root"]["steps"] = [{"nodeName": "none"}]
    write(files / "c.yaml", broken)
    done = graphway("apply", "-f", str(files))
    assert (done.exit_code, done.stdout) == (1, "")
    told = done.stderr.replace(str(files), "")
    assert "/b.yaml:5:3: error unknown-field: " in told
    assert "/c.yaml:1:" in told
    assert told.endswith("nothing was sent: mend the errors above first\n")
    assert kept(server, "isvc", "iris") is None


def test_what_the_server_refuses_has_the_place_of_its_document(
    server: ApiServer, graphway: Graphway, files: Path
) -> None:
    """It knows more than the file: here, what is on its way out takes nothing new."""
    graphway("apply", "-f", str(files))

    def hold(store: Store) -> None:
        at = ref("ig", "flowers")
        store.edit(at, lambda live: live | {"metadata": live["metadata"] | {"finalizers": ["a/b"]}})
        store.delete(at)

    server.act(hold)
    write(files / "a.yaml", iris(), flowers(finalizers=["c/d"]))
    done = graphway("apply", "-f", str(files))
    assert (done.exit_code, done.stdout) == (1, f"{ISVC}/iris unchanged\n")
    assert f"{files}/a.yaml:3:1: error: InferenceGraph" in done.stderr


def test_kinds_that_nobody_keeps_are_passed_over_with_a_warning(
    server: ApiServer, graphway: Graphway, files: Path
) -> None:
    write(files / "a.yaml", iris(), {"apiVersion": "apps/v1", "kind": "Deployment"})
    done = graphway("apply", "-f", str(files))
    assert (done.exit_code, done.stdout) == (0, f"{ISVC}/iris created\n")
    assert done.stderr == (
        f"{files}/a.yaml:3:27: warning: {server.url} keeps no Deployment (apps/v1); passed over\n"
    )


def test_older_forms_are_applied_as_todays(
    server: ApiServer, graphway: Graphway, files: Path
) -> None:
    old = iris() | {"apiVersion": "serving.kubeflow.org/v1beta1"}
    write(files / "a.yaml", old)
    done = graphway("apply", "-f", str(files))
    assert (done.exit_code, done.stdout) == (0, f"{ISVC}/iris created\n")
    assert "warning older-form" in done.stderr


def test_who_applies_beside_a_file_of_up_is_told(
    server: ApiServer, graphway: Graphway, files: Path
) -> None:
    said = iris(annotations={"graphway.dev/manifest": "models/iris.yaml"})
    server.act(lambda store: store.create(ref("isvc", "").kind, said))
    told = graphway("apply", "-f", str(files)).stderr
    assert f"{files}/a.yaml:1:1: warning: models/iris.yaml says it too" in told
    told = graphway("delete", "isvc", "iris").stderr
    assert told.startswith(f"{ISVC}/iris: warning: models/iris.yaml says it too")


USAGE = [
    ("nothing to apply", ["apply"], "say what to apply"),
    ("a path that is not there", ["apply", "-f", "none.yaml"], "none.yaml:1:1: error"),
    ("nothing to delete", ["delete"], "say what to delete"),
    ("a kind without names", ["delete", "isvc"], "which inferenceservices? give names"),
    ("names and all", ["delete", "isvc", "iris", "--all"], "give names, or -l, or --all"),
    ("a file and names", ["delete", "isvc", "-f", "a.yaml"], "-f says what to delete"),
    ("labels and all", ["delete", "isvc", "-l", "a=b", "--all"], "give -l or --all"),
]


@pytest.mark.parametrize(("words", "told"), [u[1:] for u in USAGE], ids=[u[0] for u in USAGE])
def test_bad_usage_is_told(
    stocked: ApiServer, graphway: Graphway, words: list[str], told: str
) -> None:
    done = graphway(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert kept(stocked, "isvc", "iris")


WAYS = [
    ("by name", ["isvc", "iris"], ["isvc"]),
    ("by pairs", ["isvc/iris", "ig/flowers"], ["isvc", "ig"]),
    ("by label", ["isvc,ig", "-l", "team=botany"], ["isvc"]),
    ("all of a kind", ["isvc", "--all"], ["isvc"]),
]


@pytest.mark.parametrize(("words", "gone"), [w[1:] for w in WAYS], ids=[w[0] for w in WAYS])
def test_delete(stocked: ApiServer, graphway: Graphway, words: list[str], gone: list[str]) -> None:
    done = graphway("delete", *words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(gone)
    left = {word for word in ("isvc", "ig") if kept(stocked, word, NAMES[word])}
    assert left == {"isvc", "ig"} - {*gone}


NAMES = {"isvc": "iris", "ig": "flowers"}


def test_files_are_deleted_the_other_way_round(
    stocked: ApiServer, graphway: Graphway, files: Path
) -> None:
    done = graphway("delete", "-f", str(files))
    assert done.stdout == f"{IG}/flowers deleted\n{ISVC}/iris deleted\n"


def test_what_is_not_there_is_a_fault_unless_it_is_not(
    stocked: ApiServer, graphway: Graphway
) -> None:
    done = graphway("delete", "isvc", "rose", "iris")
    assert (done.exit_code, done.stdout) == (1, f"{ISVC}/iris deleted\n")
    assert 'inferenceservices.serving.kserve.io "rose" not found' in done.stderr
    done = graphway("delete", "isvc", "rose", "--ignore-not-found")
    assert (done.exit_code, done.output) == (0, "")


def test_a_dry_run_deletes_nothing(stocked: ApiServer, graphway: Graphway) -> None:
    done = graphway("delete", "isvc", "iris", "--dry-run")
    assert done.stdout == f"{ISVC}/iris deleted (dry run)\n"
    assert kept(stocked, "isvc", "iris")


HELD = {"finalizers": ["graphway.dev/run"]}
WHERE = ref("isvc", "iris")


def test_delete_tells_what_is_held_longer_than_it_waits(
    server: ApiServer, graphway: Graphway
) -> None:
    server.act(lambda store: store.create(WHERE.kind, iris(**HELD)))
    done = graphway("delete", "isvc", "iris", "--timeout", "0.01")
    assert done.exit_code == 1
    assert done.stderr == f"{ISVC}/iris is still there; it goes when its servers ended\n"
    assert graphway("delete", "isvc", "iris", "--no-wait").exit_code == 0


def test_delete_waits_until_it_is_gone(graphway: Graphway, tmp_path: Path) -> None:
    def let_go_later(store: Store, change: Change) -> None:
        if "deletionTimestamp" in change.object["metadata"] and change.type != "DELETED":
            asyncio.get_running_loop().call_later(0.2, let_go, store)

    def let_go(store: Store) -> None:
        store.edit(WHERE, lambda live: live | {"metadata": live["metadata"] | {"finalizers": []}})

    with ApiServer(tmp_path, on_change=let_go_later).running() as server:
        server.act(lambda store: store.create(WHERE.kind, iris(**HELD)))
        assert graphway("delete", "isvc", "iris").exit_code == 0
        assert kept(server, "isvc", "iris") is None
