"""Observed and desired -> what is to be done, in which order. Pure.

Who calls others goes first and comes last: a transformer ends before its predictor does, and starts
once that has an address. Revisions live side by side as units under names of their own: a new one
is a unit that is to start, an old one a unit that is to end. A unit that differs under the same
name (other replicas, another address of its predictor) is applied in place.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from controller.desired import Unit
from controller.observe import Observed


@dataclass(frozen=True, slots=True)
class Apply:
    unit: Unit


@dataclass(frozen=True, slots=True)
class End:
    name: str


Change = Apply | End


def diff(observed: Observed, desired: Sequence[Unit], kept: Collection[str] = ()) -> list[Change]:
    """Both in the order in which they start. `kept`: units that stay as they are for now."""
    wanted = {unit.name for unit in desired}.union(kept)
    going = {name: running for name, running in observed.items() if name not in wanted}
    last = [running.role for running in going.values()]
    changes: list[Change] = [
        End(name)
        for name, running in going.items()
        # Whom it calls ends when it has gone.
        if running.role == last[-1] and running.unit is not None
    ]
    for unit in desired:
        known = observed.get(unit.name)
        if known is None or known.unit != unit:
            changes.append(Apply(unit))
    return changes
