"""Where everything stands: columns from left to right, and in each the order of the steps.

A box stands right of all that lead to it. Every line has a lane, the height at which its words
stand, from its source to the column before its target; lanes and boxes take room in columns, and
each subtree is moved up to the one above it until they touch in some column (Reingold and Tilford
with heights). A box with several lines into it hangs on one of them; the others come to it by a
curve. So no box and no word lies on another, whatever the graph.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from cli.render.drawing import Picture

BETWEEN, APART = 14.0, 26.0  # of two things in a column; of two of which one has more behind it
FORK, ARROW = (34.0, 120.0), (30.0, 120.0)  # least and most room for curves, before and after words
STEEP = 0.16  # how much wider they get with the height of a fork


class Size(NamedTuple):
    """What a thing needs: above and below its axis, and in width."""

    width: float
    above: float
    below: float


@dataclass(frozen=True, slots=True)
class Lane:
    """A line: it leaves its source for (`left`, `y`), is straight to `right`, and goes to its
    target.
    """

    left: float
    right: float
    y: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A box: its left edge, its axis, and the width of its column."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    boxes: list[Placed]
    lanes: list[Lane]
    width: float
    height: float


class Extent(NamedTuple):
    top: float
    bottom: float


Contour = dict[int, Extent]  # column -> what it takes there, from the axis of its first thing


@dataclass(slots=True)
class _Tree:
    """A box and what hangs on it, before it has a place."""

    contour: Contour
    lanes: list[tuple[int, float]] = field(default_factory=list)  # line, its axis from the box's


def layout(picture: Picture, boxes: list[Size], lines: list[Size]) -> Layout:
    return _Layout(picture, boxes, lines).done()


class _Layout:
    def __init__(self, picture: Picture, boxes: list[Size], lines: list[Size]) -> None:
        self.picture, self.box_sizes, self.line_sizes = picture, boxes, lines
        self.out: dict[int, list[int]] = defaultdict(list)
        self.into: dict[int, list[int]] = defaultdict(list)
        for number, line in enumerate(picture.lines):
            self.out[line.source].append(number)
            self.into[line.target].append(number)
        self.order = self._order()
        self.layer = self._layers()
        self.hangs = self._hangs()

    def _order(self) -> list[int]:
        """Every box before those that it leads to."""
        waiting = {box: len(self.into[box]) for box in range(len(self.picture.boxes))}
        ready = [box for box in waiting if not waiting[box]]
        order = []
        while ready:
            order.append(box := ready.pop())
            for number in self.out[box]:
                target = self.picture.lines[number].target
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
        return order

    def _layers(self) -> list[int]:
        layers = [0] * len(self.picture.boxes)
        for box in self.order:
            if not self.into[box]:
                layers[box] = int(box > 0)  # what nobody reaches begins below the root
            for number in self.out[box]:
                target = self.picture.lines[number].target
                layers[target] = max(layers[target], layers[box] + 1)
        return layers

    def _hangs(self) -> dict[int, int]:
        """The line on which each box hangs: the one in the middle of those that come straight."""
        hangs = {}
        for box, numbers in self.into.items():
            straight = [
                number
                for number in numbers
                if self.layer[self.picture.lines[number].source] == self.layer[box] - 1
            ]
            if straight:
                hangs[box] = straight[(len(straight) - 1) // 2]
        return hangs

    def done(self) -> Layout:
        trees: dict[int, _Tree] = {}
        for box in reversed(self.order):
            trees[box] = self._tree(box, trees)
        ys, lane_ys = self._heights(trees)
        return self._places(ys, lane_ys)

    def _tree(self, box: int, trees: dict[int, _Tree]) -> _Tree:
        lanes: list[tuple[int, float]] = []
        below: Contour = {}
        before = False  # whether the lane above has more behind it than a box
        for number in self.out[box]:
            contour = self._hanging(number, trees)
            deep = len(contour) > 2
            at = _under(below, contour, APART if deep or before else BETWEEN) if lanes else 0.0
            lanes.append((number, at))
            _add(below, contour, at)
            before = deep
        middle = (lanes[0][1] + lanes[-1][1]) / 2 if lanes else 0.0
        tree = _Tree(_moved(below, -middle), [(number, at - middle) for number, at in lanes])
        size = self.box_sizes[box]
        tree.contour[2 * self.layer[box]] = Extent(-size.above, size.below)
        return tree

    def _hanging(self, number: int, trees: dict[int, _Tree]) -> Contour:
        """Of a lane and of the box that hangs on it."""
        line, size = self.picture.lines[number], self.line_sizes[number]
        first, last = 2 * self.layer[line.source] + 1, 2 * self.layer[line.target] - 1
        contour = {column: Extent(0.0, 0.0) for column in range(first, last + 1)}
        contour[first] = Extent(-size.above, size.below)
        if self.hangs[line.target] == number:
            contour.update(trees[line.target].contour)
        return contour

    def _heights(self, trees: dict[int, _Tree]) -> tuple[list[float], list[float]]:
        ys = [0.0] * len(self.picture.boxes)
        lane_ys = [0.0] * len(self.picture.lines)
        above: Contour = {}
        for box in range(len(ys)):  # the request first, and below it what nobody reaches
            if box not in self.hangs:
                ys[box] = _under(above, trees[box].contour, 2 * APART) if above else 0.0
                _add(above, trees[box].contour, ys[box])
        top = min((extent.top for extent in above.values()), default=0.0)
        for box in self.order:
            if box not in self.hangs:
                ys[box] -= top
            for number, at in trees[box].lanes:
                lane_ys[number] = ys[box] + at
                target = self.picture.lines[number].target
                if self.hangs[target] == number:
                    ys[target] = lane_ys[number]
        return ys, lane_ys

    def _places(self, ys: list[float], lane_ys: list[float]) -> Layout:
        last = max(self.layer)
        box_widths, words = [0.0] * (last + 1), [0.0] * (last + 1)
        forks, arrows = [FORK[0]] * (last + 1), [ARROW[0]] * (last + 1)
        for box, size in enumerate(self.box_sizes):
            box_widths[self.layer[box]] = max(box_widths[self.layer[box]], size.width)
        for number, line in enumerate(self.picture.lines):
            layer, before = self.layer[line.source], self.layer[line.target] - 1
            words[layer] = max(words[layer], self.line_sizes[number].width)
            steep = STEEP * abs(lane_ys[number] - ys[line.source])
            forks[layer] = max(forks[layer], min(FORK[0] + steep, FORK[1]))
            steep = STEEP * abs(lane_ys[number] - ys[line.target])
            arrows[before] = max(arrows[before], min(ARROW[0] + steep, ARROW[1]))
        lefts, word_lefts, word_rights = [], [], []
        x = 0.0
        for layer in range(last + 1):
            lefts.append(x)
            word_lefts.append(x + box_widths[layer] + forks[layer])
            word_rights.append(word_lefts[-1] + words[layer])
            x = word_rights[-1] + arrows[layer]
        boxes = [
            Placed(lefts[self.layer[box]], ys[box], box_widths[self.layer[box]])
            for box in range(len(ys))
        ]
        lanes = [
            Lane(
                word_lefts[self.layer[line.source]],
                word_rights[self.layer[line.target] - 1],
                lane_ys[number],
            )
            for number, line in enumerate(self.picture.lines)
        ]
        height = max(
            (
                *(y + size.below for y, size in zip(ys, self.box_sizes, strict=True)),
                *(y + size.below for y, size in zip(lane_ys, self.line_sizes, strict=True)),
            )
        )
        return Layout(boxes, lanes, lefts[last] + box_widths[last], height)


def _under(above: Contour, contour: Contour, between: float) -> float:
    """How far down the axis of `contour` must be."""
    return max(
        (
            above[column].bottom + between - extent.top
            for column, extent in contour.items()
            if column in above
        ),
        default=0.0,
    )


def _add(above: Contour, contour: Contour, at: float) -> None:
    for column, extent in contour.items():
        top = above[column].top if column in above else extent.top + at
        above[column] = Extent(top, extent.bottom + at)


def _moved(contour: Contour, by: float) -> Contour:
    return {column: Extent(top + by, bottom + by) for column, (top, bottom) in contour.items()}
