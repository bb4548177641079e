"""A picture as PNG, by resvg: twice as large, so that it is sharp on today's screens."""

from cli.render.drawing import Picture
from cli.render.svg import svg

ZOOM = 2
_WORD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
    '<text x="2" y="15" font-size="14" font-family="Helvetica, sans-serif">{}</text></svg>'
)


class CannotDraw(Exception):
    """Why there is no PNG, and what to do."""


def png(picture: Picture, *, dark: bool = False) -> bytes:
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415 - the extra `render`
    except ModuleNotFoundError:
        raise CannotDraw(
            "PNG needs resvg-py, which is not installed here; install it by:"
            " pip install 'graphway[render]', or take --format svg"
        ) from None
    if svg_to_bytes(svg_string=_WORD.format("")) == svg_to_bytes(svg_string=_WORD.format("word")):
        raise CannotDraw(
            "PNG needs a font, and there is none here; install one (Debian: fonts-liberation,"
            " Fedora: liberation-fonts), or take --format svg"
        )
    return svg_to_bytes(svg_string=svg(picture, dark=dark), zoom=ZOOM)
