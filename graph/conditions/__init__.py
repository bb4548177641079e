"""Condition text -> Condition: GJSON as KServe has it, or JMESPath behind `jmespath:`, or CEL
behind `cel:`.

A condition sees a body and says yes or no; it knows nothing of graphs. Compiling may refuse a text
(ValueError, never for GJSON); a compiled condition never raises, and every body costs it bounded
time.
"""

from collections.abc import Sequence

from graph.conditions.condition import Condition
from graph.conditions.gjson import compile_gjson
from graph.conditions.jmespath import compile_jmespath

__all__ = ["Condition", "compile", "compile_all"]

_JMESPATH = "jmespath:"
_CEL = "cel:"


def compile(text: str, *, answered: bool = True) -> Condition:
    """The condition that a text means; `answered` says whether a step may have answered before it.
    ValueError says what is wrong, where, and how to mend it.
    """
    if text.startswith(_JMESPATH):
        return compile_jmespath(text, text.removeprefix(_JMESPATH))
    if text.startswith(_CEL):
        from graph.conditions.cel import compile_cel  # noqa: PLC0415 - 15 MB that few graphs need

        return compile_cel(text, answered=answered)
    return compile_gjson(text)


def compile_all(
    texts: Sequence[str | None], *, answered: bool = False
) -> tuple[Condition | None, ...]:
    """The conditions of a node's steps, which share what they find out about a body. `answered`:
    all but the first come after an answer.
    """
    found = tuple(
        compile(text, answered=answered and index > 0) if text else None
        for index, text in enumerate(texts)
    )
    if any(condition is not None and condition.language == "cel" for condition in found):
        from graph.conditions.cel import share  # noqa: PLC0415

        share(found)
    return found
