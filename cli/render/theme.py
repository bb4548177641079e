"""How an SVG looks: colours for light and dark, and the small picture of each kind of box."""

from typing import Final, NamedTuple

from cli.render.drawing import Look

SANS: Final = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
MONO: Final = "Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace"


class Colors(NamedTuple):
    canvas: str
    text: str
    muted: str
    edge: str


class Tint(NamedTuple):
    fill: str
    strong: str


LIGHT: Final = Colors("#ffffff", "#1f2328", "#59636e", "#8c959f")
DARK: Final = Colors("#0d1117", "#e6edf3", "#9198a1", "#656c76")

_PLAIN: Final = (Tint("#f6f8fa", "#59636e"), Tint("#1c2129", "#7d8590"))
TINTS: Final[dict[Look, tuple[Tint, Tint]]] = {  # light, dark
    Look.REQUEST: _PLAIN,
    Look.SEQUENCE: (Tint("#ddf4ff", "#0969da"), Tint("#0c2d4d", "#1f6feb")),
    Look.SWITCH: (Tint("#fff8d6", "#9a6700"), Tint("#3b2a08", "#bb8009")),
    Look.ENSEMBLE: (Tint("#d9f5f0", "#0f766e"), Tint("#0b3733", "#14938a")),
    Look.SPLITTER: (Tint("#f5ebff", "#8250df"), Tint("#2c1a4d", "#8957e5")),
    Look.SERVICE: (Tint("#e6f9ea", "#1a7f37"), Tint("#10301a", "#238636")),
    Look.URL: _PLAIN,
    Look.RESPOND: (Tint("#ffeff7", "#bf3989"), Tint("#3d1229", "#bf4b8a")),
    Look.TRANSFORM: (Tint("#fff1e5", "#bc4c00"), Tint("#3d1e0b", "#bd561d")),
    Look.MISSING: (Tint("#ffebe9", "#cf222e"), Tint("#42171a", "#da3633")),
    Look.BACK: _PLAIN,
}

# Strokes in a square of 16, drawn white on the strong colour.
ICONS: Final[dict[Look, str]] = {
    Look.REQUEST: "M2 8h11M9 4l4 4l-4 4",
    Look.SEQUENCE: "M1.5 8h5M9.5 8h5M4.5 5.5l2.5 2.5l-2.5 2.5M12 5.5l2.5 2.5l-2.5 2.5",
    Look.SWITCH: (
        "M8 1.5l6.5 6.5l-6.5 6.5l-6.5 -6.5zM6 6.6c0 -2.6 4 -2.6 4 0c0 1.6 -2 1.5 -2 2.9M8 11.6v.2"
    ),
    Look.ENSEMBLE: "M1.5 8h3M4.5 3h7M4.5 8h7M4.5 13h7M4.5 3v10M11.5 3v10M11.5 8h3",
    Look.SPLITTER: "M1.5 8h4l4.5 -5h4M5.5 8l4.5 5h4M12 1l2 2l-2 2M12 11l2 2l-2 2",
    Look.SERVICE: "M8 1.5l6 3.2v6.6l-6 3.2l-6 -3.2v-6.6zM2 4.7l6 3.3l6 -3.3M8 8v6.5",
    Look.URL: (
        "M8 1.5a6.5 6.5 0 1 0 .01 0zM1.5 8h13M8 1.5c-4.5 4.5 -4.5 8.5 0 13c4.5 -4.5 4.5 -8.5 0 -13"
    ),
    Look.RESPOND: "M7 3.5l-4.5 4.5l4.5 4.5M3 8h6c3 0 4.5 1.5 4.5 4.5",
    Look.TRANSFORM: (
        "M6 2c-3.5 0 -.5 5.5 -3.5 6c3 .5 0 6 3.5 6M10 2c3.5 0 .5 5.5 3.5 6c-3 .5 0 6 -3.5 6"
    ),
    Look.MISSING: "M4 4l8 8M12 4l-8 8",
    Look.BACK: "M13 11a5.5 5.5 0 1 1 .2 -5.5M13.8 2v3.8h-3.8",
}


def style(*, dark: bool | None = None) -> str:
    """CSS. Light, dark, or (None) what the reader's screen prefers.

    Plain rules without variables: renderers outside browsers know no more.
    """
    if dark is not None:
        return _shapes() + _colors(dark=dark)
    dark_rules = f"@media (prefers-color-scheme: dark){{\n{_colors(dark=True)}}}\n"
    return _shapes() + _colors(dark=False) + dark_rules


def _shapes() -> str:
    return (
        f"text{{font-family:{SANS}}}\n"
        f".mono{{font-family:{MONO}}}\n"
        ".title{font-size:17px;font-weight:bold}\n"
        ".name{font-size:13px;font-weight:bold}\n"
        ".small{font-size:11px}\n"
        ".badge{font-size:11px;font-weight:bold}\n"
        ".line{fill:none}\n"
        ".icon{fill:none;stroke:#ffffff;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}\n"
        ".lost{opacity:.5}\n"
        ".lost .line,.lost .card{stroke-dasharray:4 3}\n"
    )


def _colors(*, dark: bool) -> str:
    colors = DARK if dark else LIGHT
    rules = [
        f".canvas{{fill:{colors.canvas}}}",
        f".text{{fill:{colors.text}}}",
        f".muted{{fill:{colors.muted}}}",
        f".line{{stroke:{colors.edge}}}",
        f".head{{fill:{colors.edge}}}",
    ]
    for look, tints in TINTS.items():
        fill, strong = tints[dark]
        rules.append(f".{look}{{fill:{fill};stroke:{strong}}}")
        rules.append(f".{look}-tile{{fill:{strong}}}")
    return "".join(f"{rule}\n" for rule in rules)
