"""A picture in words: what a screen reader reads, and the tooltips of its parts."""

from collections.abc import Iterator

from cli.render.drawing import Box, Line, Picture

MOST_LINES = 100  # nobody listens to more


def aloud(picture: Picture) -> str:
    said = []
    for line in picture.lines[:MOST_LINES]:
        said.append(_step(picture, line))
    if len(picture.lines) > MOST_LINES:
        said.append(f"{len(picture.lines) - MOST_LINES} more steps")
    facts = f" ({', '.join(picture.facts)})" if picture.facts else ""
    return f"Inference graph {picture.title}{facts}: {'; '.join(said)}."


def box(box: Box) -> str:
    return "\n".join((box.title, *box.notes))


def line(picture: Picture, line: Line) -> str:
    return "\n".join((picture.boxes[line.target].title, *circumstances(line)))


def _step(picture: Picture, line: Line) -> str:
    source, target = picture.boxes[line.source], picture.boxes[line.target]
    kind = f"{source.notes[0]} " if source.is_node else ""
    under = ", ".join(circumstances(line))
    return f"{kind}{source.title} to {target.title}{f' ({under})' if under else ''}"


def circumstances(line: Line) -> Iterator[str]:
    """All that a line says, whole."""
    if line.order is not None:
        yield f"step {line.order}"
    if line.share is not None:
        yield f"{line.share}%"
    if line.name:
        yield line.name
    if line.condition:
        yield f"if {line.condition}"
    yield from line.notes
