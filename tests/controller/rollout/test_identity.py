"""What makes units the same one: what they run, and for callers also whom they call."""

import pytest

from controller.desired import Wanted, World, desired
from controller.local.plan import HERE
from controller.rollout.identity import PLACEHOLDER, digests
from tests.controller.manifests import only_service, service

CONTAINERS = "containers: [{command: [%s]}]"


def of(
    predictor: str, transformer: str = "t", fields: str = "", meta: str = "{}"
) -> dict[str, str]:
    spec = (
        f"spec:\n  predictor: {{{fields} {CONTAINERS % predictor}}}\n"
        f"  transformer: {{{CONTAINERS % transformer}}}"
    )
    world = World(terms=HERE, needs_host=True)
    made = desired(only_service(service(spec, annotations=meta)), world, PLACEHOLDER)
    assert isinstance(made, Wanted)
    return digests(made.units)


BEFORE = of("p")

# What is written, and who becomes another one.
ROWS: dict[str, tuple[dict[str, str], set[str]]] = {
    "the same again": (of("p"), set()),
    "other bounds, target, share and time limit": (
        of(
            "p",
            fields="minReplicas: 2, maxReplicas: 5, scaleTarget: 3, canaryTrafficPercent: 9, "
            "timeout: 7,",
        ),
        set(),
    ),
    "another annotation that nothing reads": (of("p", meta="{a: b}"), set()),
    "stopped, or another autoscaler": (
        of("p", meta="{serving.kserve.io/stop: 'true', serving.kserve.io/autoscalerClass: hpa}"),
        set(),
    ),
    "another transformer": (of("p", "u"), {"transformer"}),
    "another predictor: who calls it goes along": (of("q"), {"predictor", "transformer"}),
}


@pytest.mark.parametrize(("after", "other"), ROWS.values(), ids=ROWS)
def test_a_row(after: dict[str, str], other: set[str]) -> None:
    assert {role for role, digest in after.items() if digest != BEFORE[role]} == other
    assert len({*after.values()}) == 2
