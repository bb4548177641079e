"""A picture as a Mermaid flowchart, which GitHub and GitLab draw inside Markdown.

Whatever is no letter, digit or plain sign stands as a character number, so that no text can be
taken for Mermaid's own words, Markdown or HTML.
"""

import re
from collections.abc import Iterator

from cli.render import theme
from cli.render.drawing import Box, Line, Look, Picture
from cli.render.measure import fit, fit_middle

# Mermaid reads Markdown in any label: a digit or dash may begin a list, an underscore emphasis.
_SPECIAL = re.compile(r"[^\w .,:/@%?!()=+-]|^[\d+-]|(?<![^\W_])_|_(?![^\W_])")
_ENDS = {Look.REQUEST: ("([", "])"), Look.SERVICE: ("[[", "]]"), Look.SWITCH: ("{{", "}}")}
MOST = 230.0


def mermaid(picture: Picture) -> str:
    return "".join(f"{line}\n" for line in _lines(picture))


def _lines(picture: Picture) -> Iterator[str]:
    yield f"%% {picture.title.encode('ascii', 'replace').decode()}"
    yield "flowchart LR"
    for number, box in enumerate(picture.boxes):
        before, after = _ENDS.get(box.look, ("[", "]"))
        yield f'  n{number}{before}"{_label(box)}"{after}:::{box.look if box.reached else "lost"}'
    for line in picture.lines:
        words = _words(line)
        arrow = "-.->" if not line.reached or line.share == 0 else "-->"
        yield f"  n{line.source} {arrow}{f'|{words}|' if words else ''} n{line.target}"
    looks = {box.look for box in picture.boxes}
    for look in Look:
        if look in looks:
            fill, strong = theme.TINTS[look][0]
            yield f"  classDef {look} fill:{fill},stroke:{strong},color:#1f2328"
    if not all(box.reached for box in picture.boxes):
        yield "  classDef lost fill:#f6f8fa,stroke:#8c959f,color:#59636e,stroke-dasharray:4 3"


def _label(box: Box) -> str:
    shown = (fit_middle(text, MOST, 13) for text in (box.title, *box.notes))
    return "<br/>".join(map(_safe, shown))


def _words(line: Line) -> str:
    first = str(line.order or "") if line.share is None else f"{line.share}%"
    words = [first, line.name, line.condition, *line.notes]
    shown = [_safe(fit(text, MOST, 13)) for text in words if text]
    return f'"{"<br/>".join(shown)}"' if shown else ""


def _safe(text: str) -> str:
    return _SPECIAL.sub(lambda found: "".join(f"#{ord(char)};" for char in found[0]), text)
