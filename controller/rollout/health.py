"""How a revision fares, from what is observed of its units. Pure."""

from collections.abc import Collection

from controller.observe import Observed, Phase, Running
from controller.rollout.decide import Health
from controller.rollout.revision import Revision


def health(revision: Revision, observed: Observed, proven: bool, hold: bool) -> Health:
    """`proven`: it was ready before. Then one replica of each unit is enough to go on, and with
    `hold` (calls wait for it, since they went to it already) none has to be there.
    """
    found = [observed.get(unit.name) for unit in revision.units.values()]
    units = [running for running in found if running is not None and running.unit is not None]
    if not units:
        return Health.ABSENT
    whole = len(units) == len(found)
    if whole and all(_ready(running, proven) for running in units):
        idle = any(running.unit is not None and running.unit.replicas == 0 for running in units)
        return Health.IDLE if idle else Health.READY
    if _failed(units):
        return Health.FAILED
    return Health.IDLE if proven and hold else Health.COMING


def _ready(running: Running, proven: bool) -> bool:
    if running.unit is not None and running.unit.replicas == 0:
        return True
    return running.ready > 0 if proven else running.available


def _failed(units: Collection[Running]) -> bool:
    return any(
        replica.phase is Phase.FAILED and running.ready == 0
        for running in units
        for replica in running.replicas
    )
