"""Places: nothing lies on anything else, lines go to the right, steps keep their order."""

from itertools import combinations, pairwise
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from cli.render.drawing import Picture, draw
from cli.render.layout import Layout, Size, layout
from graph.spec import InferenceGraph

Case = tuple[Picture, list[Size], list[Size]]


class Rectangle(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Rectangle") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@st.composite
def pictures(draw_from: st.DrawFn) -> Picture:
    """Of any nodes: with circles, nodes that are not there, and some that nobody reaches."""
    names = ["root", *(f"n{index}" for index in range(draw_from(st.integers(0, 6))))]
    target = st.sampled_from([*names, "nobody", None])
    nodes = {}
    for name in names:
        targets = draw_from(st.lists(target, min_size=1, max_size=5))
        steps: list[dict[str, Any]] = [
            {"serviceName": "x"} if one is None else {"nodeName": one} for one in targets
        ]
        nodes[name] = {"routerType": "Ensemble", "steps": steps}
    return draw(
        InferenceGraph.model_validate({"metadata": {"name": "g"}, "spec": {"nodes": nodes}})
    )


@st.composite
def cases(draw_from: st.DrawFn) -> Case:
    picture = draw_from(pictures())
    lengths = st.integers(0, 90).map(float)
    sizes = st.builds(Size, lengths, lengths, lengths)
    boxes = [draw_from(sizes) for _ in picture.boxes]
    return picture, boxes, [draw_from(sizes) for _ in picture.lines]


def rectangles(case: Case, placed: Layout) -> list[Rectangle]:
    """Of all boxes, of the words at all lines, and of the straight parts of the lines."""
    _, boxes, lines = case
    found = [
        Rectangle(place.x, place.y - size.above, place.x + place.width, place.y + size.below)
        for place, size in zip(placed.boxes, boxes, strict=True)
    ]
    for lane, size in zip(placed.lanes, lines, strict=True):
        words = Rectangle(
            lane.left, lane.y - size.above, lane.left + size.width, lane.y + size.below
        )
        found.append(words)
        found.append(Rectangle(words.right, lane.y, lane.right, lane.y))
    return found


@given(cases())
def test_nothing_lies_on_anything_else(case: Case) -> None:
    placed = layout(*case)
    for one, other in combinations(rectangles(case, placed), 2):
        assert not one.meets(other)


@given(cases())
def test_everything_is_inside(case: Case) -> None:
    placed = layout(*case)
    for rectangle in rectangles(case, placed):
        assert min(rectangle.left, rectangle.top) >= -0.001
        assert rectangle.right <= placed.width + 0.001
        assert rectangle.bottom <= placed.height + 0.001


@given(cases())
def test_lines_go_to_the_right_and_steps_keep_their_order(case: Case) -> None:
    picture, boxes, _ = case
    placed = layout(*case)
    for line, lane in zip(picture.lines, placed.lanes, strict=True):
        source, target = placed.boxes[line.source], placed.boxes[line.target]
        assert source.x + source.width < lane.left <= lane.right < target.x
    for box in range(len(boxes)):
        ys = [
            lane.y
            for line, lane in zip(picture.lines, placed.lanes, strict=True)
            if line.source == box
        ]
        assert all(above < below for above, below in pairwise(ys))


def test_a_column_of_the_deepest_graph_needs_no_deep_stack() -> None:
    nodes: dict[str, Any] = {
        f"n{index}": {"routerType": "Sequence", "steps": [{"nodeName": f"n{index + 1}"}]}
        for index in range(1500)
    }
    nodes["n1500"] = nodes["root"] = {"routerType": "Sequence", "steps": [{"serviceName": "x"}]}
    spec = {"metadata": {"name": "g"}, "spec": {"nodes": nodes}}
    picture = draw(InferenceGraph.model_validate(spec))
    sizes = [Size(1.0, 1.0, 1.0)]
    placed = layout(picture, sizes * len(picture.boxes), sizes * len(picture.lines))
    assert len({place.x for place in placed.boxes}) == 1503
