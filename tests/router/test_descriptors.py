"""What the limit of open files means for a worker."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.config import DataPlaneConfig, Limits
from router.descriptors import RESERVED, raised_limit, within
from tests.conftest import Serve
from tests.kit.manifests import graph


@pytest.mark.parametrize(
    ("descriptors", "wanted", "connections"),
    [
        pytest.param(float("inf"), 10_000, 10_000, id="no limit"),
        pytest.param(1_048_576, 10_000, 10_000, id="far more than are needed"),
        pytest.param(RESERVED + 200, 100, 100, id="just enough"),
        pytest.param(RESERVED + 200, 101, 100, id="half of them for clients"),
        pytest.param(10, 101, 1, id="none left: one client after the other"),
    ],
)
def test_clients_get_half_of_the_descriptors(
    descriptors: float, wanted: int, connections: int
) -> None:
    config = DataPlaneConfig(limits=Limits(connections=wanted, body_bytes=7), compat=True)
    kept = within(descriptors, config)
    assert kept.limits == Limits(connections=connections, body_bytes=7)
    assert kept.compat


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Other tests of this process may hold some, too.
    few = 256 + sum(1 for _ in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
    yield few
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_descriptors")
def test_the_soft_limit_goes_up_to_the_hard_one() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = raised_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    assert limit == (float("inf") if hard == resource.RLIM_INFINITY else hard)


async def test_a_worker_takes_what_it_may_have(few_descriptors: int, serve: Serve) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": "http://127.0.0.1:9"})
    async with serve(manifest, "--workers", "1") as router:
        (pid,) = router.worker_pids()
        soft, hard = open_files(pid)
        assert soft == hard
        assert open_files(router.process.pid)[0] == str(few_descriptors), (
            "programs that it starts may need that"
        )


def open_files(pid: int) -> tuple[str, str]:
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max open files"):
            soft, hard = line.split()[3:5]
            return soft, hard
    raise AssertionError
