"""Pictures of any graph: well formed, complete, every text inside its card, nothing unescaped."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.render.dot import dot
from cli.render.drawing import Look, draw
from cli.render.mermaid import mermaid
from cli.render.svg import svg
from graph.spec import InferenceGraph
from tests.strategies import graphs

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    '"]; click n0 href "javascript:x" n1["',
    "a\nb\r\nc\u2028d",
    "\x00\x1b[31m\ud800\u202e\ufffe",
    "שלום <b>",
    "🎉👨‍👩‍👧",
    "&amp; &lt; #quot; %% \\n \\",
    "]]> --> <!-- ?>",
    "`md` **b** _i_ $$x$$",
    "x" * 500,
    "",
    " ",
]
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=30)


def one(name: str, target: str, condition: str, kind: str = "Switch") -> InferenceGraph:
    step: dict[str, Any] = {"name": name, "serviceUrl": target, "condition": condition, "weight": 3}
    nodes = {"root": {"routerType": kind, "steps": [step, {"nodeName": name or "x"}]}}
    nodes[name or "x"] = {"routerType": "Ensemble", "steps": [{"serviceName": target}]}
    metadata = {"name": name or "g", "namespace": target}
    return InferenceGraph.model_validate({"metadata": metadata, "spec": {"nodes": nodes}})


def hostile() -> st.SearchStrategy[InferenceGraph]:
    kinds = st.sampled_from(["Switch", "Sequence", "Splitter", "Ensemble"])
    return st.builds(one, TEXTS, TEXTS, TEXTS, kinds)


@given(graphs(most_nodes=8) | hostile())
def test_an_svg_is_well_formed_and_has_every_box_and_line(graph: InferenceGraph) -> None:
    picture = draw(graph)
    root = ElementTree.fromstring(svg(picture))
    classes = [element.get("class", "").split() for element in root.iter()]
    assert sum("card" in names for names in classes) == len(picture.boxes)
    assert sum("line" in names for names in classes) == len(picture.lines)
    assert root.findtext(f"{SVG}title") == picture.title
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "path", "text"}


@given(graphs(most_nodes=8) | hostile())
def test_the_texts_of_a_card_are_inside_it(graph: InferenceGraph) -> None:
    root = ElementTree.fromstring(svg(draw(graph)))
    for group in root.iter(f"{SVG}g"):
        cards = [one for one in group.findall(f"{SVG}rect") if "card" in one.get("class", "")]
        for card in cards:
            left, wide = float(card.get("x", "")), float(card.get("width", ""))
            for text in group.findall(f"{SVG}text"):
                begin, length = float(text.get("x", "")), float(text.get("textLength", ""))
                assert left < begin
                assert begin + length < left + wide


@given(graphs(most_nodes=8) | hostile())
def test_the_same_graph_gives_the_same_bytes(graph: InferenceGraph) -> None:
    again = InferenceGraph.model_validate(graph.model_dump(by_alias=True))
    for write in (svg, mermaid, dot):
        assert write(draw(graph)) == write(draw(again))


MERMAID_TEXT = r'"[^"\[\]{}<>`;|]*(?:(?:<br/>|#\d+;)[^"\[\]{}<>`;|]*)*"'
MERMAID_LINE = re.compile(
    r"%% .*|flowchart LR"
    rf"|  n\d+(\(\[|\[\[|\{{\{{|\[){MERMAID_TEXT}(\]\)|\]\]|\}}\}}|\]):::\w+"
    rf"|  n\d+ (-->|-\.->)(\|{MERMAID_TEXT}\|)? n\d+"
    r"|  classDef \w+ [\w#:,.\- ]+"
)


@given(graphs(most_nodes=8) | hostile())
def test_mermaid_has_no_word_of_ours_outside_its_quotes(graph: InferenceGraph) -> None:
    for line in mermaid(draw(graph)).splitlines():
        assert MERMAID_LINE.fullmatch(line), line


DOT_STRING = r'"(?:[^"\\]|\\[\\"n])*"'
DOT_LINE = re.compile(
    rf"digraph {DOT_STRING} \{{|\}}"
    rf"|  (graph|node|edge|n\d+|n\d+ -> n\d+)"
    rf" \[\w+=({DOT_STRING}|[\w.]+)(, \w+=({DOT_STRING}|[\w.]+))*\]"
)


@given(graphs(most_nodes=8) | hostile())
def test_dot_has_no_word_of_ours_outside_its_quotes(graph: InferenceGraph) -> None:
    for line in dot(draw(graph)).splitlines():
        assert DOT_LINE.fullmatch(line), line


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_the_whole_of_a_shortened_text_is_a_tooltip(text: str) -> None:
    graph = one("step", "http://x/", f"before {text} after")
    root = ElementTree.fromstring(svg(draw(graph)))
    titles = "\n".join(element.text or "" for element in root.iter(f"{SVG}title"))
    shown = " ".join(re.sub("[\x00-\x1f\u2028\ud800\u202e\ufffe]", " ", text).split())
    assert f"if before {shown}".rstrip() in titles
    assert "after" in titles


def test_a_service_of_many_lines_has_a_trunk() -> None:
    steps = [{"serviceName": "x", "condition": "@this"} for _ in range(9)]
    nodes = {"root": {"routerType": "Switch", "steps": steps}}
    spec = {"metadata": {"name": "g"}, "spec": {"nodes": nodes}}
    drawn = svg(draw(InferenceGraph.model_validate(spec)))
    assert "V" in drawn
    assert "C" not in "".join(re.findall(r' d="(M[^"]*)" stroke-width', drawn))


def test_a_node_that_is_not_there_and_a_circle_are_boxes_of_their_own() -> None:
    nodes = {
        "root": {"routerType": "Sequence", "steps": [{"serviceName": "x"}]},
        "lost": {"routerType": "Sequence", "steps": [{"nodeName": "lost"}, {"nodeName": "no"}]},
    }
    spec = {"metadata": {"name": "g"}, "spec": {"nodes": nodes}}
    boxes = draw(InferenceGraph.model_validate(spec)).boxes
    assert [(box.look, box.title, box.reached) for box in boxes[3:]] == [
        (Look.SEQUENCE, "lost", False),
        (Look.BACK, "lost", False),
        (Look.MISSING, "no", False),
    ]
