"""A picture as SVG: cards for boxes, curves for lines, light or dark as the reader's screen is.

Every text says its width, every shortened one has the whole as its tooltip, and the picture has a
title and a description for those who cannot see it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from cli.render import said, theme
from cli.render.drawing import Box, Line, Look, Picture
from cli.render.layout import Lane, Layout, Placed, Size, layout
from cli.render.measure import fit, fit_middle, width

MARGIN, HEADING = 24.0, 58.0
TILE, PADDING = 30.0, 11.0  # the coloured square of a card, and the room beside its text
NAME, SMALL, TITLE = 13.0, 11.0, 17.0
ROW = 15.0  # from one baseline to the next
MOST_BOX, MOST_LINE = 290.0, 230.0  # of a text
BADGE = 9.0  # half its height
BADGE_GAP = 6.0
HEAD = 8.0  # of an arrow
MANY, BEND = 8, 12.0  # of more lines from one box the curves would lie on one another: they share a
# trunk, and turn off with this radius


class Words(NamedTuple):
    """A text as shown, and the whole of it."""

    shown: str
    full: str
    width: float
    mono: bool = False


def svg(picture: Picture, *, dark: bool | None = None) -> str:
    cards = [_card(box) for box in picture.boxes]
    words = [_words(line) for line in picture.lines]
    placed = layout(picture, [card.size for card in cards], [word.size for word in words])
    return "".join(f"{line}\n" for line in _document(picture, cards, words, placed, dark))


class _Card(NamedTuple):
    size: Size
    name: Words
    notes: tuple[Words, ...]


class _Beside(NamedTuple):
    """What stands at a line: a badge on it, and words above and below."""

    size: Size
    badge: str
    badge_width: float
    above: tuple[Words, ...]
    below: tuple[Words, ...]


def _card(box: Box) -> _Card:
    shown = fit_middle if box.look is Look.URL else fit
    name = _shown(box.title, shown(box.title, MOST_BOX / 1.07, NAME), NAME, bold=True)
    notes = tuple(_note(box, note) for note in box.notes)
    widest = max(words.width for words in (name, *notes))
    half = (NAME + ROW * len(notes)) / 2 + PADDING
    return _Card(Size(TILE + 2 * PADDING + widest, half, half), name, notes)


_MONO = (Look.URL, Look.SERVICE, Look.RESPOND, Look.TRANSFORM)


def _note(box: Box, note: str) -> Words:
    mono = box.look in _MONO
    return _shown(note, fit_middle(note, MOST_BOX, SMALL, mono=mono), SMALL, mono=mono)


def _words(line: Line) -> _Beside:
    badge = _badge(line)
    badge_width = max(2 * BADGE, width(badge, SMALL, bold=True) + 12) if badge else 0.0
    above = []
    if line.name:
        above.append(_shown(line.name, fit(line.name, MOST_LINE, SMALL), SMALL, bold=True))
    if line.condition:
        shown = fit(line.condition, MOST_LINE, SMALL, mono=True)
        above.append(_shown(line.condition, shown, SMALL, mono=True))
    below = [_shown(note, fit(note, MOST_LINE, SMALL), SMALL) for note in line.notes]
    widest = max((words.width for words in (*above, *below)), default=0.0)
    room = badge_width + (BADGE_GAP if badge and widest else 0) + widest
    least = BADGE if badge else 0.0
    size = Size(
        room,
        max(least, ROW * len(above) + 4 if above else 0.0),
        max(least, ROW * len(below) + 4 if below else 0.0),
    )
    return _Beside(size, badge, badge_width, tuple(above), tuple(below))


def _badge(line: Line) -> str:
    if line.share is not None:
        return f"{line.share}%"
    return "" if line.order is None else str(line.order)


def _shown(full: str, shown: str, size: float, *, bold: bool = False, mono: bool = False) -> Words:
    return Words(shown, full, width(shown, size, bold=bold, mono=mono), mono)


def _document(
    picture: Picture, cards: list[_Card], words: list[_Beside], placed: Layout, dark: bool | None
) -> Iterator[str]:
    title = fit(picture.title, 600, TITLE, bold=True)
    facts = fit(" · ".join(picture.facts), 600, SMALL)
    wide = max(placed.width, width(title, TITLE, bold=True), width(facts, SMALL)) + 2 * MARGIN
    top = HEADING + (ROW if facts else 0)
    high = placed.height + top + MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(wide)}" height="{_n(high)}"'
        f' viewBox="0 0 {_n(wide)} {_n(high)}" role="img" aria-labelledby="title desc">'
    )
    yield f'<title id="title">{escape(picture.title)}</title>'
    yield f'<desc id="desc">{escape(said.aloud(picture))}</desc>'
    yield f"<style>\n{theme.style(dark=dark)}</style>"
    yield f'<rect class="canvas" width="{_n(wide)}" height="{_n(high)}" rx="10"/>'
    heading = _shown(picture.title, title, TITLE, bold=True)
    yield _text(heading, MARGIN, MARGIN + 14, "title text")
    if facts:
        yield _text(_shown(facts, facts, SMALL), MARGIN, MARGIN + 14 + ROW + 3, "small muted")
    yield f'<g transform="translate({_n(MARGIN)} {_n(top)})">'
    fans = Counter(line.source for line in picture.lines)
    for number, line in enumerate(picture.lines):
        path = _path(
            placed.lanes[number],
            placed.boxes[line.source],
            placed.boxes[line.target],
            trunk=fans[line.source] > MANY,
        )
        yield from _line(picture, line, words[number], placed.lanes[number], path)
    for line in picture.lines:
        target = placed.boxes[line.target]
        lost = "" if line.reached else " lost"
        yield f'<path class="head{lost}" d="M{_n(target.x)} {_n(target.y)}l-{_n(HEAD)} -4.5v9z"/>'
    for box, card, place in zip(picture.boxes, cards, placed.boxes, strict=True):
        yield from _box(box, card, place)
    yield "</g>"
    yield "</svg>"


def _line(picture: Picture, line: Line, words: _Beside, lane: Lane, path: str) -> Iterator[str]:
    yield '<g class="lost">' if not line.reached else "<g>"
    yield f"<title>{escape(said.line(picture, line))}</title>"
    thick = 1.5 if line.share is None else 1.2 + 3.3 * line.share / 100
    dashes = ' stroke-dasharray="2 4"' if line.share == 0 else ""
    yield f'<path class="line" d="{path}" stroke-width="{_n(thick)}"{dashes}/>'
    left = lane.left
    if words.badge:
        look = picture.boxes[line.source].look
        yield (
            f'<rect class="{look}-tile" x="{_n(left)}" y="{_n(lane.y - BADGE)}"'
            f' width="{_n(words.badge_width)}" height="{_n(2 * BADGE)}" rx="{_n(BADGE)}"/>'
        )
        text = width(words.badge, SMALL, bold=True)
        start = left + (words.badge_width - text) / 2
        yield _text(Words(words.badge, words.badge, text), start, lane.y + 4, "badge", "#ffffff")
        left += words.badge_width + BADGE_GAP
    for index, word in enumerate(reversed(words.above)):
        kind = "small text" if word.mono else "badge text"
        yield _text(word, left, lane.y - 6 - ROW * index, kind)
    for index, word in enumerate(words.below):
        yield _text(word, left, lane.y + 14 + ROW * index, "small muted")
    yield "</g>"


def _path(lane: Lane, source: Placed, target: Placed, *, trunk: bool) -> str:
    x, y, end = source.x + source.width, source.y, target.x - HEAD + 1
    path = f"M{_n(x)} {_n(y)}"
    if trunk and y != lane.y:
        middle, way = (x + lane.left) / 2, 1 if lane.y > y else -1
        bend = min(BEND, abs(lane.y - y) / 2)
        path += (
            f"H{_n(middle - bend)}q{_n(bend)} 0 {_n(bend)} {_n(way * bend)}"
            f"V{_n(lane.y - way * bend)}q0 {_n(way * bend)} {_n(bend)} {_n(way * bend)}"
        )
    elif y != lane.y:
        half = _n((x + lane.left) / 2)
        path += f"C{half} {_n(y)} {half} {_n(lane.y)} {_n(lane.left)} {_n(lane.y)}"
    if target.y == lane.y:
        return f"{path}H{_n(end)}"
    half = _n((lane.right + end) / 2)
    return (
        f"{path}H{_n(lane.right)}"
        f"C{half} {_n(lane.y)} {half} {_n(target.y)} {_n(end)} {_n(target.y)}"
    )


def _box(box: Box, card: _Card, place: Placed) -> Iterator[str]:
    top, high = place.y - card.size.above, card.size.above + card.size.below
    yield '<g class="lost">' if not box.reached else "<g>"
    yield f"<title>{escape(said.box(box))}</title>"
    frame = f'x="{_n(place.x)}" y="{_n(top)}" width="{_n(place.width)}" height="{_n(high)}"'
    yield f'<rect class="card {box.look}" {frame} rx="8" stroke-width="1.2"/>'
    tile_x, tile_y = place.x + 6, place.y - (TILE - 6) / 2
    side = _n(TILE - 6)
    yield (
        f'<rect class="{box.look}-tile" x="{_n(tile_x)}" y="{_n(tile_y)}"'
        f' width="{side}" height="{side}" rx="6"/>'
    )
    yield (
        f'<path class="icon" transform="translate({_n(tile_x + 4)} {_n(tile_y + 4)})"'
        f' d="{theme.ICONS[box.look]}"/>'
    )
    left = place.x + TILE + PADDING
    baseline = place.y - ROW * len(card.notes) / 2 + 4.5
    yield _text(card.name, left, baseline, "name text")
    for index, note in enumerate(card.notes):
        yield _text(note, left, baseline + ROW * (index + 1), "small muted")
    yield "</g>"


def _text(words: Words, x: float, y: float, kind: str, fill: str = "") -> str:
    if not words.shown:
        return ""
    mono = " mono" if words.mono else ""
    color = f' fill="{fill}"' if fill else ""
    return (
        f'<text class="{kind}{mono}" x="{_n(x)}" y="{_n(y)}" textLength="{_n(words.width)}"'
        f' lengthAdjust="spacingAndGlyphs"{color}>{escape(words.shown)}</text>'
    )


def _n(number: float) -> str:
    """With one digit behind the point at most, and never minus zero."""
    return f"{round(number, 1) + 0.0:g}" if abs(number) < 100_000 else f"{number:.0f}"
