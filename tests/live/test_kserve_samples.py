"""KServe's own sample graphs, served with stand-ins for their models: what its end-to-end scenarios
expect, and the statuses that differ from KServe's unless they are asked for.

The templates of the e2e graphs name two models, one that answers 200 and one that answers 404 on
purpose; the inputs lie beside them.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import drop, reply

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "kserve-graphs"
E2E = sorted(SAMPLES.glob("e2e_*.yaml"))

pytestmark = pytest.mark.skipif(not E2E, reason="KServe's samples are not here")

FINE = {"message": "fine"}
MISSING = {"detail": "missing on purpose"}
NO_MATCH = {
    "error": "Failed to process request",
    "cause": "None of the routes matched with the switch condition",
}
COMPAT = {"GRAPHWAY_COMPAT": "kserve"}
MODES = pytest.mark.parametrize("kserve", [False, True], ids=["ours", "KServe's statuses"])

ERROR = "e2e_switch_call_error_picker_input.json"
SUCCESS = "e2e_switch_call_success_picker_input.json"
NEITHER = "e2e_switch_call_no_match_input.json"
IRIS = "e2e_iris_input.json"


@dataclass(frozen=True)
class Case:
    """What a graph answers to an input."""

    sample: str
    given: str
    status: int
    body: Any
    calls: tuple[str, ...]  # models, in order where the graph has one
    kserve_status: int | None = None  # where it is another


SCENARIOS = {
    "3: a Hard step that fails ends a Sequence": Case(
        "seq_scenario_3", "e2e_custom_predictor_input.json", 404, MISSING, ("error",)
    ),
    "4: a Switch whose branch fails": Case("switch_scenario_4", ERROR, 404, MISSING, ("error",)),
    "4: a Switch whose branch is fine": Case("switch_scenario_4", SUCCESS, 200, FINE, ("success",)),
    "4: a Switch without match": Case("switch_scenario_4", NEITHER, 404, NO_MATCH, ()),
    "5: a Soft Switch that fails is passed over": Case(
        "switch_scenario_5", ERROR, 200, FINE, ("error", "success")
    ),
    "5: a Soft Switch without match is not": Case(
        "switch_scenario_5", NEITHER, 404, NO_MATCH, (), kserve_status=500
    ),
    "6: a Hard Switch that fails ends a Sequence": Case(
        "switch_scenario_6", ERROR, 404, MISSING, ("error",)
    ),
    "6: a Hard Switch without match too": Case(
        "switch_scenario_6", SUCCESS, 404, NO_MATCH, (), kserve_status=500
    ),
    "7: a Soft step that fails is merged": Case(
        "ensemble_scenario_7",
        "e2e_custom_predictor_input.json",
        200,
        {"rootStep1": FINE, "rootStep2": MISSING},
        ("error", "success"),
    ),
    "8: a Hard step that fails is the answer": Case(
        "ensemble_scenario_8", IRIS, 404, MISSING, ("error", "success", "success")
    ),
    "9: a Soft Splitter that fails is passed over": Case(
        "switch_scenario_9", ERROR, 200, FINE, ("error", "success")
    ),
    "10: a Hard Splitter that fails ends a Sequence": Case(
        "switch_scenario_10", ERROR, 404, MISSING, ("error",)
    ),
    "10: a Splitter asks for no condition": Case(
        "switch_scenario_10", NEITHER, 404, MISSING, ("error",)
    ),
}


def e2e_graphs() -> Iterator[str]:
    for sample in E2E:
        name = sample.stem.removeprefix("e2e_ig_test_").replace("_", "-")
        yield filled(
            sample.read_text(),
            graph_name=name,
            success_200_isvc_id="success",
            error_404_isvc_id="error",
        )


def filled(template: str, **values: str) -> str:
    return re.sub(r"\{\{ *(\w+) *\}\}", lambda match: values[match[1]], template)


def models(*names: str, predictor: Predictor) -> list[str]:
    """Flags that say where these services are: all at the one stand-in, told apart by path."""
    flags = []
    for name in names:
        flags += ["--service", f"{name}={predictor.origin}"]
    return flags


async def asked(router: Router, graph: str, body: bytes) -> tuple[int, Any]:
    async with Client.to(router.port) as client:
        response = await client.ask(request(f"/graphs/default/{graph}", body))
    assert response.header(b"content-type") == b"application/json"
    return response.status, json.loads(response.body)


@MODES
async def test_the_scenarios_of_the_end_to_end_tests(
    predictor: Predictor, serve: Serve, kserve: bool
) -> None:
    predictor.on("/v1/models/success:predict", reply(json.dumps(FINE).encode()))
    predictor.on("/v1/models/error:predict", reply(json.dumps(MISSING).encode(), status=404))
    flags = models("success", "error", predictor=predictor)
    env = COMPAT if kserve else None
    async with serve("\n---\n".join(e2e_graphs()), *flags, "--workers", "1", env=env) as router:
        for name, case in SCENARIOS.items():
            predictor.requests.clear()
            given = (SAMPLES / case.given).read_bytes()
            answer = await asked(router, case.sample.replace("_", "-"), given)
            status = case.kserve_status if kserve and case.kserve_status else case.status
            assert answer == (status, case.body), name
            assert all(call.body == given for call in predictor.requests), name
            called = [call.path.split(b"/")[3].partition(b":")[0] for call in predictor.requests]
            assert set(called) <= {call.encode() for call in case.calls}, name
            if "ensemble" not in case.sample:  # an Ensemble calls all at once
                assert called == [call.encode() for call in case.calls], name


@asynccontextmanager
async def iris(
    sample: str, predictor: Predictor, serve: Serve, kserve: bool
) -> AsyncIterator[Router]:
    """A graph of the two iris models; sample and path rules come from the same file."""
    predictor.on("/v1/models/sklearn-iris:predict", reply(b'{"predictions": [1, 1]}'))
    predictor.on("/v1/models/xgboost-iris:predict", reply(b'{"predictions": [1.0, 2.0]}'))
    flags = models("sklearn-iris", "xgboost-iris", predictor=predictor)
    env = COMPAT if kserve else None
    manifest = (SAMPLES / sample).read_text()
    async with serve(manifest, *flags, "--workers", "1", env=env) as router:
        yield router


SKLEARN = {"predictions": [1, 1]}
XGBOOST = {"predictions": [1.0, 2.0]}


@MODES
async def test_the_ensemble(predictor: Predictor, serve: Serve, kserve: bool) -> None:
    given = (SAMPLES / IRIS).read_bytes()
    async with iris("ensemble.yaml", predictor, serve, kserve) as router:
        both = {"sklearn-iris": SKLEARN, "xgboost-iris": XGBOOST}
        assert await asked(router, "ensemble-model", given) == (200, both)
        predictor.on("/v1/models/xgboost-iris:predict", drop())
        status, body = await asked(router, "ensemble-model", given)
    if kserve:
        assert (status, body.keys()) == (500, {"error", "cause"})
    else:
        assert (status, body["sklearn-iris"]) == (200, SKLEARN)
        assert body["xgboost-iris"].keys() == {"error", "cause"}


@MODES
async def test_the_sequence(predictor: Predictor, serve: Serve, kserve: bool) -> None:
    given = (SAMPLES / IRIS).read_bytes()
    async with iris("sequence.yaml", predictor, serve, kserve) as router:
        assert await asked(router, "model-chainer", given) == (200, XGBOOST)
        assert predictor.bodies == [given, given]  # data: $request
        predictor.on("/v1/models/sklearn-iris:predict", drop())
        status, body = await asked(router, "model-chainer", given)
    assert (status, body.keys()) == (500 if kserve else 502, {"error", "cause"})
    assert predictor.served == 3, "nothing runs behind a step without answer"


async def test_the_splitter(predictor: Predictor, serve: Serve) -> None:
    given = (SAMPLES / IRIS).read_bytes()
    async with iris("splitter.yaml", predictor, serve, False) as router:
        answers = [await asked(router, "splitter-model", given) for _ in range(100)]
    assert {json.dumps(body) for _, body in answers} == {json.dumps(SKLEARN), json.dumps(XGBOOST)}
    assert {status for status, _ in answers} == {200}
    # 80 of 100; outside these bounds once in ten million runs
    assert 58 <= [body for _, body in answers].count(XGBOOST) <= 97


SWITCHED: dict[str, tuple[bytes, str | None]] = {
    "object matching": (b'{"source": "client"}', "single-1"),
    "array matching": (b'{"instances": [{"intval": 1}, {"intval": 11}]}', "single-2"),
    "pattern matching": (b'{"instances": [{"strval": "a-red-server-b"}]}', "single-3"),
    "the first that matches": (b'{"source": "client", "instances": [{"intval": 11}]}', "single-1"),
    "a number that is too small": (b'{"instances": [{"intval": 10}]}', None),
    "no JSON": (b"source=client", None),
}


@MODES
async def test_the_switch(predictor: Predictor, serve: Serve, kserve: bool) -> None:
    manifest = re.sub(
        r"http://(single-\d)\.default\.\{\$your-domain\}/switch",
        lambda match: predictor.url(f"/{match[1]}/switch"),
        (SAMPLES / "switch.yaml").read_text(),
    )
    for name in ("single-1", "single-2", "single-3"):
        predictor.on(f"/{name}/switch", reply(json.dumps({"by": name}).encode()))
    env = COMPAT if kserve else None
    async with serve(manifest, "--workers", "1", env=env) as router:
        for name, (given, by) in SWITCHED.items():
            expected = (404, NO_MATCH) if by is None else (200, {"by": by})
            assert await asked(router, "model-switch", given) == expected, name
