"""`{{.Name}}` and its like in a runtime's container, filled in with the service's metadata. Pure.

KServe renders the whole container as a Go template; these are the words that its runtimes use. What
is not there becomes empty, a word that nobody knows is a problem.
"""

import re
from typing import Any

from controller.resources.codes import Code
from controller.resources.core import Container, ObjectMeta
from controller.resources.model import dump, read
from graph.problems import Path, Problem

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FIELD = re.compile(r"-?\s*\.(Name|Namespace|Labels\.([-\w]+)|Annotations\.([-\w]+))\s*-?")


def filled(container: Container, meta: ObjectMeta, path: Path) -> Container | list[Problem]:
    """`path`: of the container in the service's manifest."""
    words: set[str] = set()

    def value(match: re.Match[str]) -> str:
        field = _FIELD.fullmatch(match[1])
        if field is None:
            words.add(match[0])
            return ""
        if field[2]:
            return meta.labels.get(field[2], "")
        if field[3]:
            return meta.annotations.get(field[3], "")
        return meta.name if field[1] == "Name" else meta.namespace or "default"

    def fill(said: Any) -> Any:
        match said:
            case str():
                return _PLACEHOLDER.sub(value, said)
            case list():
                return [fill(item) for item in said]
            case dict():
                return {key: fill(item) for key, item in said.items()}
        return said

    result = read(Container, fill(dump(container)))
    return [_unknown(word, path) for word in sorted(words)] or result


def _unknown(word: str, path: Path) -> Problem:
    return Code.UNKNOWN_PLACEHOLDER.at(
        path,
        f"{word} is no placeholder; there are {{{{.Name}}}}, {{{{.Namespace}}}}, {{{{.Labels.x}}}} "
        "and {{.Annotations.x}}",
    )
