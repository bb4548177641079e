"""How problems speak of what the user wrote: quoted, shortened, and with the nearest known word.

A manifest may hold anything, so what it says is never printed as it is: it could be a megabyte long
or move the cursor.
"""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

SHOWN_CHARACTERS = 60
# A comparison takes some 20 us, and a manifest with thousands of unknown names would ask for
# millions of them.
COMPARISONS = 10_000


def shown(text: str) -> str:
    """Text of the user, in backquotes, short and printable."""
    if len(text) > SHOWN_CHARACTERS:
        text = text[: SHOWN_CHARACTERS - 1] + "…"
    if not text.isprintable():
        text = ascii(text)[1:-1]
    return f"`{text}`"


def listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def trail(names: Collection[str]) -> str:
    """`root -> a -> b`, with the middle left out of a long one."""
    words = list(names)
    if len(words) > 12:
        words = [*words[:6], f"… ({len(words) - 11} more)", *words[-5:]]
    return " -> ".join(word if len(word) <= SHOWN_CHARACTERS else word[:59] + "…" for word in words)


class Speller:
    """The nearest of some known words. It gives up, without a hint, once it has searched a lot."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = [word for word in known if len(word) <= SHOWN_CHARACTERS]
        self._bare = {_bare(word): word for word in reversed(self._known)}
        self._left = COMPARISONS

    def nearest(self, word: str) -> str | None:
        if not word or len(word) > SHOWN_CHARACTERS:
            return None
        if (same := self._bare.get(_bare(word))) is not None:
            return same
        self._left -= len(self._known)
        if self._left < 0:
            return None
        return next(iter(get_close_matches(word, self._known, n=1, cutoff=0.6)), None)

    def hint(self, word: str) -> str:
        """`; did you mean `root`?`, or nothing."""
        near = self.nearest(word)
        return f"; did you mean {shown(near)}?" if near is not None else ""


def _bare(word: str) -> str:
    return word.casefold().replace("-", "").replace("_", "")
