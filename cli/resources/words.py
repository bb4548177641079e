"""What the words after a command mean: `isvc iris`, `isvc/iris ig/flowers`, `isvc,ig`, `all`.

As kubectl reads them; the kinds are those that the server has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated

import typer

from cli.resources.completion import complete_words
from cli.resources.connect import USAGE, fail
from controller.client.api import ALL, Api, ServedKind

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WHAT",
        help="A kind, then names of it: `isvc iris`. Or KIND/NAME, several.",
        autocompletion=complete_words,
        show_default=False,
    ),
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", metavar="NS", help="Namespace.")]
Labels = Annotated[
    str,
    typer.Option(
        "--selector",
        "-l",
        metavar="LABELS",
        help="Only objects with these labels: `app=iris,stage!=test`.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Meant:
    """Objects of one kind: those of these names, or all if none is given."""

    kind: ServedKind
    names: tuple[str, ...] = ()


def meant(api: Api, words: Sequence[str] | None) -> list[Meant]:
    """Ends the command if a word is no kind."""
    if not words:
        fail(USAGE, f"say of which kind; {_known(api)}")
    if any("/" in word for word in words):
        return _pairs(api, words)
    kinds, names = words[0].split(","), tuple(dict.fromkeys(words[1:]))
    if ALL in kinds:
        if names:
            fail(USAGE, f"`{ALL}` takes no names; write KIND/NAME")
        others = _kinds(api, [word for word in kinds if word != ALL])
        every = [kind for kind in api.kinds if ALL in kind.categories]
        return [Meant(kind) for kind in dict.fromkeys([*every, *others])]
    return [Meant(kind, names) for kind in _kinds(api, kinds)]


def meant_or_default(api: Api, words: Sequence[str], default: str) -> list[Meant]:
    """The same where names must be there, and are of the default kind if nothing else is said."""
    kind = None if any("/" in word for word in words) else api.kind(words[0])
    if kind is not None and len(words) > 1:
        return meant(api, words)
    return _pairs(api, [word if "/" in word else f"{default}/{word}" for word in words])


def _pairs(api: Api, words: Sequence[str]) -> list[Meant]:
    found: dict[ServedKind, dict[str, None]] = {}
    for word in words:
        kind, slash, name = word.partition("/")
        if not (kind and slash and name and "/" not in name):
            fail(
                USAGE, f"{word!r}: beside KIND/NAME, each word must be one: `isvc/iris ig/flowers`"
            )
        found.setdefault(_kinds(api, [kind])[0], {})[name] = None
    return [Meant(kind, tuple(names)) for kind, names in found.items()]


def _kinds(api: Api, words: Iterable[str]) -> list[ServedKind]:
    found: dict[ServedKind, None] = {}
    faults = []
    for word in words:
        kind = api.kind(word)
        if kind is None:
            faults.append(_unknown(api, word))
        else:
            found[kind] = None
    if faults:
        fail(USAGE, *faults)
    return [*found]


def _unknown(api: Api, word: str) -> str:
    known = [name for kind in api.kinds for name in kind.words]
    close = get_close_matches(word.lower(), known, n=1)
    return f"there is no kind {word!r}; {f'did you mean {close[0]}?' if close else _known(api)}"


def _known(api: Api) -> str:
    return "there are " + ", ".join(kind.plural for kind in api.kinds)
