"""Graphs, requests and answers at random, for property tests of walks and their driver."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from graph.document import Document
from graph.effects import Answer, Failure, FailureKind, Reply
from graph.spec import InferenceGraph
from router.upstream.script import JSON

Fields = dict[str, Any]
Conditions = st.SearchStrategy[str | None]

BODIES = st.sampled_from(
    [
        *(b'{"predictions":[1,2]}', b'{"instances":[3],"x":1}', b'{"x":{"y":null}}', b"{}"),
        *(b"[1,2]", b"null", b"7", b'"text"', rb'"\ud83d"', b'{"x":1,"x":2}'),
        *(b"", b"not json", b"\xff\x00", b'{"predictions":[1', b"[" * 3000 + b"]" * 3000),
    ]
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 299, 300, 307, 400, 404, 429, 500, 503])
_GJSON: list[str | None] = [
    None,
    "",
    "x",
    "x.y",
    "predictions.#",
    "@this",
    "[@this].#(x>0)",
    "..",
    "\\",
]
_JMESPATH: list[str | None] = ["jmespath:x", "jmespath:predictions[0]"]


@dataclass(frozen=True)
class Answered:
    """What a predictor says, free of the step that says it."""

    status: int
    body: bytes
    typed: bool

    def answer(self, address: str) -> Answer:
        if self.status == 0:
            return Failure(FailureKind.RESET, "gone", address)
        return Reply(self.status, JSON if self.typed else (), Document(self.body))


ANSWERS = st.builds(Answered, STATUSES | st.just(0), BODIES, st.booleans())


@st.composite
def graphs(
    draw: st.DrawFn, *, most_nodes: int = 5, most_steps: int = 4, jmespath: bool = True
) -> InferenceGraph:
    """Any graph that the check accepts. A step leads to a later node only, so there are no cycles;
    nodes that nothing leads to are left for the check to warn of.
    """
    count = draw(st.integers(1, most_nodes))
    names = ["root", *(f"n{index}" for index in range(1, count))]
    conditions = st.sampled_from(_GJSON + _JMESPATH if jmespath else _GJSON)
    nodes = {
        name: draw(_nodes(names[index + 1 :], most_steps, conditions))
        for index, name in enumerate(names)
    }
    metadata: Fields = {"name": "g", "namespace": "test"}
    if draw(st.booleans()):
        metadata["annotations"] = {"graphway.dev/compat": "kserve"}
    return InferenceGraph.model_validate({"metadata": metadata, "spec": {"nodes": nodes}})


@st.composite
def _nodes(draw: st.DrawFn, children: list[str], most_steps: int, conditions: Conditions) -> Fields:
    kind = draw(st.sampled_from(["Sequence", "Switch", "Ensemble", "Splitter"]))
    count = draw(st.integers(1, most_steps))
    steps = [draw(_steps(index, children, conditions)) for index in range(count)]
    if kind == "Splitter":
        cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=count - 1, max_size=count - 1)))
        for step, low, high in zip(steps, [0, *cuts], [*cuts, 100], strict=True):
            step["weight"] = high - low
    return {"routerType": kind, "steps": steps}


@st.composite
def _steps(draw: st.DrawFn, index: int, children: list[str], conditions: Conditions) -> Fields:
    step: Fields = {"condition": draw(conditions)}
    if draw(st.booleans()):
        step["name"] = f"s{index}"
    if draw(st.booleans()) and children:
        step["nodeName"] = draw(st.sampled_from(children))
    else:
        step["serviceUrl"] = f"http://s{index}.test/"
    step["data"] = draw(st.sampled_from([None, "$request", "$response", "other"]))
    step["mapPredictionsToInstances"] = draw(st.sampled_from([None, True, False]))
    step["dependency"] = draw(st.sampled_from([None, "Soft", "Hard"]))
    return step


# graphs that say more than KServe's can

_PICKED = [
    "jmespath: request",
    "jmespath: {instances: request.predictions || request.instances}",
    'jmespath: [headers."x-a", `1`]',
]
_COMPUTED = ["jmespath: {x: request.x, h: headers}", "jmespath: {n: length(request)}"]
_EARLIER_PICKED = [
    "jmespath: response",
    "jmespath: {{a: response.predictions[0], b: steps.{name}.response, c: steps.{name}.status}}",
]
_EARLIER_COMPUTED = ["jmespath: not_null(steps.{name}.response, steps.{name}.request)"]
_RESPONDS: list[Fields] = [
    {},
    {"status": 204},
    {"status": 404, "body": "gone"},
    {"body": [1], "headers": {"X-A": "b", "Content-Type": "application/x"}},
    {"body": "jmespath: {got: request.x}"},
]
_JOININGS: list[Fields] = [
    {},
    *({"combine": how} for how in ("mean", "weightedMean", "vote", "first", "concat")),
    {"quorum": 1},
    {"combine": "vote", "quorum": 1, "deadlineSeconds": 0.5},
    {"deadlineSeconds": 0.5},
]


@st.composite
def flowing(draw: st.DrawFn, *, jmespath: bool = True) -> InferenceGraph:
    """Graphs that map, edit headers, answer by themselves and join answers. Without `jmespath`
    nothing is done by that library.
    """
    manifest = draw(graphs(jmespath=jmespath))
    document = manifest.model_dump(mode="json", by_alias=True, exclude_none=True)
    for number, node in enumerate(document["spec"]["nodes"].values()):
        for index, step in enumerate(node["steps"]):
            step["name"] = f"n{number}s{index}"  # of its own in the whole graph
            _extend(draw, node, index, jmespath)
        if node["routerType"] == "Ensemble":
            node.update(draw(st.sampled_from(_JOININGS)))
            for step in node["steps"]:
                step["weight"] = draw(st.integers(1, 3))
    return InferenceGraph.model_validate(document)


def _extend(draw: st.DrawFn, node: Fields, index: int, jmespath: bool) -> None:
    step = node["steps"][index]
    texts = _PICKED + (_COMPUTED if jmespath else [])
    if node["routerType"] == "Sequence" and index:
        earlier = _EARLIER_PICKED + (_EARLIER_COMPUTED if jmespath else [])
        texts += [text.format(name=node["steps"][index - 1]["name"]) for text in earlier]
    if draw(st.booleans()):
        step["data"] = draw(st.sampled_from(texts))
    if "serviceUrl" not in step:
        return
    match draw(st.integers(0, 3)):
        case 0:
            del step["serviceUrl"]
            step["respond"] = draw(st.sampled_from(_RESPONDS))
        case 1 if step.get("data", "").startswith("jmespath"):
            del step["serviceUrl"]
        case 2:
            step["headers"] = {"set": {"X-A": "1"}, "copy": ["X-B"], "remove": ["X-C"]}
