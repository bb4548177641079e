"""What a shell completes: commands, and kinds and names as they are at that moment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.store.own_kinds import CONTROLLER_REVISION
from controller.store.owned import SERVICE_LABEL
from controller.store.store import Store
from tests.cli.resources.conftest import Graphway
from tests.kit.api_server import ApiServer

ROOT = Path(__file__).parents[3]

LINES = [
    ("commands", "graphway de", {"delete", "describe"}),
    ("kinds", "graphway get inferences", {"inferenceservices"}),
    ("all", "graphway get al", {"all"}),
    ("names", "graphway get isvc ", {"iris"}),
    ("names of what is given already", "graphway get isvc iris ", set()),
    ("names by prefix", "graphway get ig f", {"flowers"}),
    ("names in another namespace", "graphway get -n lab isvc ", set()),
    ("pairs", "graphway describe ig/", {"ig/flowers"}),
    ("a second pair", "graphway delete isvc/iris ig/", {"ig/flowers"}),
    ("services without their kind", "graphway logs ", {"iris"}),
    ("graphs where services are meant", "graphway stop ig/", {"ig/flowers"}),
    ("services to roll back", "graphway rollback ", {"iris"}),
    ("commands by their letters", "graphway to", {"top"}),
    ("values of an option", "graphway get isvc -o y", {"yaml"}),
    ("names of no kind", "graphway get nothing ", set()),
]


def kept(store: Store) -> None:
    for number, of in ((1, "iris"), (12, "iris"), (2, "rose")):
        store.create(
            CONTROLLER_REVISION,
            {
                "apiVersion": "apps/v1",
                "kind": "ControllerRevision",
                "metadata": {
                    "name": f"{of}-{number:05d}",
                    "namespace": "default",
                    "labels": {SERVICE_LABEL: of},
                },
                "revision": number,
            },
        )


def completed(line: str, home: Path) -> set[str]:
    """As bash asks."""
    words = line.split(" ")
    env = {
        "GRAPHWAY_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "_GRAPHWAY_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    program = "import sys; sys.argv[0] = 'graphway'; from cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(("line", "words"), [x[1:] for x in LINES], ids=[x[0] for x in LINES])
def test_completion(stocked: ApiServer, home: Path, line: str, words: set[str]) -> None:
    assert completed(line, home) == words


def test_where_nothing_runs_there_is_nothing_to_complete(home: Path) -> None:
    assert completed("graphway get isvc ", home) == set()
    assert completed("graphway stop ", home) == set()
    assert completed("graphway get --server http://127.0.0.1:1 ", home) == set()


def test_revisions_of_the_service_that_is_named(stocked: ApiServer, home: Path) -> None:
    stocked.act(kept)
    assert completed("graphway rollback iris --to-revision ", home) == {"1", "12"}
    assert completed("graphway rollback isvc/iris --to-revision 12", home) == {"12"}
    assert completed("graphway rollback lily --to-revision ", home) == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(graphway: Graphway, shell: str) -> None:
    done = graphway("completion", shell)
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"_GRAPHWAY_COMPLETE=complete_{shell}" in done.stdout


def test_bash_takes_its_script(graphway: Graphway) -> None:
    script = graphway("completion", "bash").stdout
    command = ["bash", "--norc", "-c", f"{script}\ncomplete -p graphway"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == "complete -o default -F _graphway_completion graphway\n"


def test_another_shell_is_bad_usage(graphway: Graphway) -> None:
    assert graphway("completion", "csh").exit_code == 2
