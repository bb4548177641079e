"""How a revision fares, from what is observed of its units. Pure."""

from collections.abc import Collection

from controller.desired import Unit, Wanted
from controller.observe import Observed, Phase, Running
from controller.rollout.decide import Health
from controller.rollout.revision import Revision


def health(
    revision: Revision,
    observed: Observed,
    proven: bool,
    hold: bool,
    wanted: Wanted | None = None,
) -> Health:
    """`proven`: it had calls already. Then one replica of each unit is enough to go on, and with
    `hold` (calls wait for it) none has to be there. `wanted`: how it shall be now, if that is known
    already: a canary that is promoted needs more replicas than it has.
    """
    found = [observed.get(unit.name) for unit in revision.units.values()]
    units = [running for running in found if running is not None and running.unit is not None]
    asked = {unit.role: unit for unit in wanted.units} if wanted is not None else {}
    if not units:
        return Health.ABSENT
    whole = len(units) == len(found)
    if whole and all(_ready(running, proven, asked.get(running.role)) for running in units):
        idle = any(running.unit is not None and running.unit.replicas == 0 for running in units)
        return Health.IDLE if idle else Health.READY
    if _failed(units):
        return Health.FAILED
    return Health.IDLE if proven and hold else Health.COMING


def _ready(running: Running, proven: bool, asked: Unit | None) -> bool:
    if running.unit is not None and running.unit.replicas == 0:
        return True
    if proven:
        return running.ready > 0
    return running.available and (asked is None or running.suffices_for(asked))


def _failed(units: Collection[Running]) -> bool:
    return any(
        replica.phase is Phase.FAILED and running.ready == 0
        for running in units
        for replica in running.replicas
    )
