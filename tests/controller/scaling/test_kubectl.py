"""What a stock kubectl shows of scaling."""

from pathlib import Path

from controller.scaling.decide import Decision, Mode
from controller.scaling.policy import ByRequests, ByResources, Goal, Policy
from controller.scaling.scaler import Scaled
from controller.scaling.shown import show
from controller.store.recorder import Recorder
from controller.view import SERVICE
from tests.controller.api.kit import iris, running

BURST = Decision(3, Mode.PANIC, "a burst: 2e+06 concurrent requests over 6 s", capped=True)
CPU = ByResources((Goal("cpu", 0.4, "80% of 500m"),))


async def test_an_autoscaler_is_listed_and_described(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        service = api.store.create(SERVICE, iris(namespace="default"))
        by_calls = Policy(0, 3, ByRequests(target=1_400_000.0))
        decisions = {
            ("default/iris", "iris-00001"): Scaled(by_calls, BURST, 1),
            ("default/iris", "iris-00002"): Scaled(Policy(1, 5, CPU), Decision(2, reason="r"), 2),
        }
        show(api.store, Recorder(api.store), service, decisions)
        head, *rows = (await api.kubectl("get", "hpa")).splitlines()
        heads = ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE"]
        assert head.split() == heads
        assert [row.split()[:-1] for row in rows] == [
            ["iris-00001", "inferenceservice/iris", "concurrency:", "1400000", "0", "3", "1"],
            ["iris-00002", "inferenceservice/iris", "cpu:", "400m", "1", "5", "2"],
        ]
        told = await api.kubectl("describe", "hpa", "iris-00001")
        assert "a burst: 2e+06 concurrent requests over 6 s" in told
        assert "TooManyReplicas" in told
        code, refused = await api.try_kubectl("delete", "hpa", "iris-00001")
        assert code != 0, refused
