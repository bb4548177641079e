"""The one table of node kinds. A new kind is a file in `nodes/` and a line here."""

from collections.abc import Callable
from typing import NamedTuple

from graph.nodes import ensemble, sequence, splitter, switch
from graph.nodes.step import Lowered, Run
from graph.spec import RouterType, Step


class Kind(NamedTuple):
    lower: Callable[[tuple[Step, ...]], Lowered]
    run: Run


KINDS: dict[RouterType, Kind] = {
    RouterType.SEQUENCE: Kind(sequence.lower, sequence.run),
    RouterType.SWITCH: Kind(switch.lower, switch.run),
    RouterType.ENSEMBLE: Kind(ensemble.lower, ensemble.run),
    RouterType.SPLITTER: Kind(splitter.lower, splitter.run),
}
