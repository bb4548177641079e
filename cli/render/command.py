"""`graphway render`: one graph of some manifests as SVG, Mermaid, Graphviz or PNG."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.chosen import chosen
from cli.options import FAILED, USAGE, fail
from cli.render.dot import dot
from cli.render.drawing import Picture, draw
from cli.render.mermaid import mermaid
from cli.render.png import CannotDraw, png
from cli.render.svg import svg
from graph.workspace import load_paths

MOST_STEPS = 2000  # a picture of more shows nothing

HELP = (
    "Draw a graph: nodes, steps, conditions, weights, targets."
    "\n\n"
    "What a step says stands at its line, shortened where it is long; in an SVG the whole is the"
    " tooltip. A node of several steps is drawn once, one that no request gets to is grey."
)
EXAMPLES = (
    "Examples:\n"
    "  graphway render graph.yaml > graph.svg      light or dark as the screen is\n"
    "  graphway render graph.yaml -o graph.png     the format by the file's name\n"
    "  graphway render . --graph shop/cart         one graph of several\n"
    "  graphway render graph.yaml -f mermaid       for Markdown, in ```mermaid\n"
    "  graphway render graph.yaml -f dot | dot -Tpdf -o graph.pdf\n"
    "  kubectl get ig cart -o yaml | graphway render - > cart.svg\n\n"
    "PNG needs a font and resvg-py, the extra `render` of graphway.\n\n"
    "Exit code 1: the graph has errors (`graphway check` lists them), or there is no PNG. 2: bad"
    " usage, no such graph, or a path that cannot be read."
)

app = typer.Typer(add_completion=False)


class Format(StrEnum):
    SVG = "svg"
    MERMAID = "mermaid"
    DOT = "dot"
    PNG = "png"


class Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


_SUFFIXES = {".svg": Format.SVG, ".png": Format.PNG, ".dot": Format.DOT, ".gv": Format.DOT}
_SUFFIXES |= dict.fromkeys((".mmd", ".mermaid"), Format.MERMAID)


@app.command(help=HELP, epilog=EXAMPLES)
def render(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files, folders (*.yaml, *.yml, *.json, also below), or - for standard input.",
        ),
    ],
    format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="What to write (svg, or by the name of FILE)."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to (standard output)."),
    ] = None,
    graph: Annotated[
        str | None,
        typer.Option("--graph", metavar="NS/NAME", help="Which, where PATH has several."),
    ] = None,
    theme: Annotated[
        Theme, typer.Option("--theme", help="Colours of SVG and PNG; auto is light in a PNG.")
    ] = Theme.AUTO,
) -> None:
    wanted = format or _format_of(output)
    if wanted is Format.PNG and output is None and sys.stdout.isatty():
        fail(USAGE, ["a PNG is nothing for a terminal: say where to by -o FILE, or by >"])
    _, spec = chosen(load_paths(paths), graph)
    picture = draw(spec)
    if len(picture.lines) > MOST_STEPS:
        fail(FAILED, [f"{picture.title} has more than {MOST_STEPS:,} steps: too many to draw"])
    try:
        drawn = _drawn(picture, wanted, theme)
    except CannotDraw as reason:
        fail(FAILED, [str(reason)])
    _put(drawn, output)


def _format_of(output: Path | None) -> Format:
    if output is None:
        return Format.SVG
    found = _SUFFIXES.get(output.suffix.lower())
    if found is None:
        known = ", ".join(_SUFFIXES)
        fail(USAGE, [f"{output}: its name tells no format ({known}); say --format"])
    return found


def _drawn(picture: Picture, wanted: Format, theme: Theme) -> bytes:
    dark = None if theme is Theme.AUTO else theme is Theme.DARK
    match wanted:
        case Format.SVG:
            return svg(picture, dark=dark).encode()
        case Format.MERMAID:
            return mermaid(picture).encode()
        case Format.DOT:
            return dot(picture).encode()
        case Format.PNG:
            return png(picture, dark=dark is True)


def _put(drawn: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(drawn)
        sys.stdout.flush()
        return
    try:
        output.write_bytes(drawn)
    except OSError as error:
        fail(USAGE, [f"{output}: cannot be written: {error.strerror}"])
