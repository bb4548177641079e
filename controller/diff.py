"""Observed and desired -> what is to be done, in which order. Pure.

Who calls others goes first and comes last: a transformer ends before its predictor does, and starts
once that has an address. A unit that differs is applied in place of the old one; how the one makes
room for the other is the backend's matter. Revisions that live side by side will be units under
names of their own, and meet here as one that is to start and one that is to end.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from controller.desired import Unit
from controller.observe import Observed
from controller.workload import Role


@dataclass(frozen=True, slots=True)
class Apply:
    unit: Unit


@dataclass(frozen=True, slots=True)
class End:
    role: Role


Change = Apply | End


def diff(observed: Observed, desired: Sequence[Unit], kept: Collection[Role] = ()) -> list[Change]:
    """Both in the order in which they start. `kept`: roles that stay as they are for now."""
    wanted = {unit.role for unit in desired}.union(kept)
    changes: list[Change] = []
    for role, running in reversed([*observed.items()]):
        if role not in wanted:
            if running.unit is not None:
                changes.append(End(role))
            break  # whom it calls ends when it has gone
    for unit in desired:
        known = observed.get(unit.role)
        if known is None or known.unit != unit:
            changes.append(Apply(unit))
    return changes
