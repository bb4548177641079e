"""Condition text -> Condition: GJSON as KServe has it, or JMESPath behind the prefix `jmespath:`.

A condition sees a body and says yes or no; it knows nothing of graphs. Compiling may refuse a text
(ValueError, never for GJSON); a compiled condition never raises, and every body costs it bounded
time.
"""

from graph.conditions.condition import Condition
from graph.conditions.gjson import compile_gjson
from graph.conditions.jmespath import compile_jmespath

__all__ = ["Condition", "compile"]

_JMESPATH = "jmespath:"
_CEL = "cel:"


def compile(text: str) -> Condition:
    """The condition that a text means. ValueError says what is wrong, where, and how to mend it."""
    if text.startswith(_JMESPATH):
        return compile_jmespath(text, text.removeprefix(_JMESPATH))
    if text.startswith(_CEL):
        raise ValueError(
            "CEL conditions are not supported by this version; "
            "write a GJSON path, or JMESPath behind `jmespath:`"
        )
    return compile_gjson(text)
