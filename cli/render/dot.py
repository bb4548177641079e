"""A picture in the language of Graphviz, for those who want to lay it out or style it otherwise."""

from collections.abc import Iterator, Mapping

from cli.render import said, theme
from cli.render.drawing import Box, Line, Look, Picture
from cli.render.measure import fit, fit_middle

MOST = 230.0
_SHAPES: Mapping[Look, str] = {Look.SWITCH: "diamond", Look.SERVICE: "component"}


def dot(picture: Picture) -> str:
    return "".join(f"{line}\n" for line in _lines(picture))


def _lines(picture: Picture) -> Iterator[str]:
    yield f"digraph {_quoted(picture.title)} {{"
    yield f"  graph [rankdir=LR, ranksep=0.7, nodesep=0.25, label={_quoted(_heading(picture))}]"
    yield '  graph [labelloc=t, labeljust=l, fontname="Helvetica", fontsize=14]'
    yield '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11]'
    yield '  edge [fontname="Helvetica", fontsize=10, color="#8c959f", fontcolor="#1f2328"]'
    for number, box in enumerate(picture.boxes):
        yield f"  n{number} [{_attributes(_box(box))}]"
    for line in picture.lines:
        yield f"  n{line.source} -> n{line.target} [{_attributes(_line(picture, line))}]"
    yield "}"


def _heading(picture: Picture) -> str:
    return "\n".join(filter(None, (picture.title, " · ".join(picture.facts))))


def _box(box: Box) -> dict[str, str]:
    fill, strong = theme.TINTS[box.look][0]
    shown = "\n".join(fit_middle(text, MOST, 11) for text in (box.title, *box.notes))
    said_of_it = {"label": shown, "tooltip": said.box(box), "fillcolor": fill, "color": strong}
    if not box.reached:
        return {**said_of_it, "fillcolor": "#f6f8fa", "style": "rounded,filled,dashed"}
    return said_of_it


def _line(picture: Picture, line: Line) -> dict[str, str]:
    first = str(line.order or "") if line.share is None else f"{line.share}%"
    words = [fit(text, MOST, 10) for text in (first, line.name, line.condition, *line.notes)]
    attributes = {"tooltip": said.line(picture, line)}
    if any(words):
        attributes["label"] = "\n".join(filter(None, words))
        attributes["labeltooltip"] = attributes["tooltip"]
    if line.share:
        attributes["penwidth"] = f"{1 + line.share / 40:.2f}"
    if not line.reached or line.share == 0:
        attributes["style"] = "dashed"
    return attributes


def _attributes(of: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in of.items())


def _quoted(text: str) -> str:
    r"""A string of Graphviz, which reads `\n` and the like in labels, and HTML entities."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped.replace("&", "&amp;")}"'
