"""`stop`, `resume`, `logs`, `events`, `describe`: what runs, and what it has to say."""

import pytest

from tests.cli.resources.conftest import Graphway
from tests.kit.api_server import ApiServer, ref

ISVC = "inferenceservice.serving.kserve.io"
IG = "inferencegraph.serving.kserve.io"
STOP = "serving.kserve.io/stop"


def annotations(server: ApiServer, word: str, name: str) -> dict[str, str]:
    found = server.act(lambda store: store.get(ref(word, name)))
    return found["metadata"].get("annotations") or {}


def test_stop_and_resume_set_the_annotation_once(stocked: ApiServer, graphway: Graphway) -> None:
    assert graphway("stop", "iris").stdout == f"{ISVC}/iris stopped\n"
    assert annotations(stocked, "isvc", "iris") == {STOP: "true"}
    assert graphway("stop", "iris").stdout == f"{ISVC}/iris was stopped already\n"
    assert graphway("resume", "iris").stdout == f"{ISVC}/iris resumed\n"
    assert annotations(stocked, "isvc", "iris") == {}
    assert graphway("resume", "iris").stdout == f"{ISVC}/iris was not stopped\n"


@pytest.mark.parametrize(
    "words", [["ig", "flowers"], ["ig/flowers"], ["iris", "ig/flowers"]], ids=" ".join
)
def test_graphs_stop_too(stocked: ApiServer, graphway: Graphway, words: list[str]) -> None:
    done = graphway("stop", *words)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == f"{IG}/flowers stopped"
    assert annotations(stocked, "ig", "flowers") == {STOP: "true"}


def test_only_what_runs_can_stop(stocked: ApiServer, graphway: Graphway) -> None:
    done = graphway("stop", "secret/x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "secrets do not run; inferenceservices and inferencegraphs do\n"


def test_what_is_not_there_cannot_stop_and_the_others_do(
    stocked: ApiServer, graphway: Graphway
) -> None:
    done = graphway("stop", "rose", "iris")
    assert (done.exit_code, done.stdout) == (1, f"{ISVC}/iris stopped\n")
    assert '"rose" not found' in done.stderr


LOGS = [
    ("all of the predictor", ["iris"], b"one\ntwo\n\xff\n"),
    ("the last lines", ["iris", "--tail", "2"], b"two\n\xff\n"),
    ("none but new ones", ["iris", "--tail", "0"], b""),
    ("of another component", ["iris", "-c", "transformer"], b"shaped\n"),
    ("by its kind", ["isvc/iris", "--tail", "1"], b"\xff\n"),
    ("by its kind, apart", ["isvc", "iris", "--tail", "1"], b"\xff\n"),
]


@pytest.mark.parametrize(("words", "told"), [g[1:] for g in LOGS], ids=[g[0] for g in LOGS])
def test_logs_are_printed_as_they_are(
    stocked: ApiServer, graphway: Graphway, words: list[str], told: bytes
) -> None:
    stocked.logs = {"predictor": b"one\ntwo\n\xff\n", "transformer": b"shaped\n"}
    done = graphway("logs", *words)
    assert (done.exit_code, done.stdout_bytes) == (0, told)


def test_logs_follow_until_their_end(stocked: ApiServer, graphway: Graphway) -> None:
    stocked.logs = {"predictor": b"one\n"}
    for line in (b"two\n", b"three\n", None):
        stocked.print(line)
    assert graphway("logs", "iris", "-f").stdout == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["rose"], 1, '"rose" not found'),
        (["iris", "-c", "explainer"], 1, "iris has no explainer"),
        (["iris", "rose"], 2, "the log of one at a time"),
    ],
    ids=["no such service", "no such component", "two at once"],
)
def test_no_log(
    stocked: ApiServer, graphway: Graphway, words: list[str], code: int, told: str
) -> None:
    done = graphway("logs", *words)
    assert (done.exit_code, done.stdout) == (code, "")
    assert told in done.stderr


@pytest.fixture
def eventful(stocked: ApiServer) -> ApiServer:
    stocked.record("isvc", "iris", "Started", "a process")
    stocked.record("isvc", "iris", "CrashLoopBackOff", "exit code 1", warning=True)
    stocked.record("isvc", "iris", "CrashLoopBackOff", "exit code 1", warning=True)
    stocked.record("ig", "flowers", "Ready", "all it needs is there")
    return stocked


EVENTS = [
    ("of all", [], {"Started", "CrashLoopBackOff", "Ready"}),
    ("of one", ["isvc", "iris"], {"Started", "CrashLoopBackOff"}),
    ("of a kind", ["ig"], {"Ready"}),
    ("of two", ["isvc/iris", "ig/flowers"], {"Started", "CrashLoopBackOff", "Ready"}),
    ("warnings", ["--warnings"], {"CrashLoopBackOff"}),
    ("warnings of one", ["ig/flowers", "--warnings"], set()),
    ("of another namespace", ["-n", "lab"], set()),
]


@pytest.mark.parametrize(("words", "reasons"), [e[1:] for e in EVENTS], ids=[e[0] for e in EVENTS])
def test_events(
    eventful: ApiServer, graphway: Graphway, words: list[str], reasons: set[str]
) -> None:
    done = graphway("events", *words)
    assert done.exit_code == 0
    assert {line.split()[2] for line in done.stdout.splitlines()[1:]} == reasons
    assert ("no events" in done.stderr) is (not reasons)


def test_an_event_says_when_to_what_and_how_often(eventful: ApiServer, graphway: Graphway) -> None:
    (row,) = graphway("events", "--warnings").stdout.splitlines()[1:]
    about = row.split(maxsplit=4)[1:]
    assert about == [
        "Warning",
        "CrashLoopBackOff",
        "inferenceservice/iris",
        "exit code 1 (x2)",
    ]


def test_events_of_all_namespaces_have_a_column(eventful: ApiServer, graphway: Graphway) -> None:
    head, *rows = graphway("events", "-A").stdout.splitlines()
    assert head.startswith("NAMESPACE ")
    assert all(row.startswith("default ") for row in rows)


def test_events_of_nothing_are_a_fault(eventful: ApiServer, graphway: Graphway) -> None:
    assert graphway("events", "isvc", "rose").exit_code == 1
    assert graphway("events", "isvc", "iris", "-A").exit_code == 2


def test_describe_tells_all_there_is(eventful: ApiServer, graphway: Graphway) -> None:
    conditions = [
        {"type": "Ready", "status": "False", "reason": "CrashLoopBackOff", "message": "exit code 1"}
    ]
    status = {"modelStatus": {"transitionStatus": "InProgress"}, "conditions": conditions}
    eventful.act(lambda store: store.replace_status(ref("isvc", "iris"), status))
    done = graphway("describe", "isvc", "iris")
    assert done.exit_code == 0
    told = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        "Name: iris",
        "Namespace: default",
        "Kind: InferenceService (serving.kserve.io/v1beta1)",
        "Labels: team=botany",
        "storageUri: gs://models/iris",
        "transitionStatus: InProgress",
        "Ready False CrashLoopBackOff exit code 1",
    ):
        assert line in told
    assert told[-1].endswith("CrashLoopBackOff exit code 1 (x2)")


def test_describe_several(stocked: ApiServer, graphway: Graphway) -> None:
    done = graphway("describe", "isvc,ig")
    assert [x for x in done.stdout.splitlines() if x.startswith("Name:")] == [
        "Name:         iris",
        "Name:         flowers",
    ]
    done = graphway("describe", "isvc", "rose", "iris")
    assert (done.exit_code, "iris" in done.stdout) == (1, True)


def test_describe_keeps_secrets(server: ApiServer, graphway: Graphway) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key"},
        "stringData": {"password": "hunter2"},
    }
    server.act(lambda store: store.create(ref("secret", "").kind, secret))
    done = graphway("describe", "secret", "key")
    assert "password: 7 bytes" in done.stdout
    assert "hunter2" not in done.stdout
    assert "aHVudGVyMg" not in done.stdout


def test_describe_tells_what_holds_a_deleted_object(stocked: ApiServer, graphway: Graphway) -> None:
    at = ref("isvc", "iris")
    held = {"finalizers": ["graphway.dev/run"]}
    stocked.act(lambda s: s.edit(at, lambda live: live | {"metadata": live["metadata"] | held}))
    stocked.act(lambda store: store.delete(at))
    assert "held by graphway.dev/run" in graphway("describe", "isvc").stdout
