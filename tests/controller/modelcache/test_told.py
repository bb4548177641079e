"""What caches, groups and nodes say of themselves."""

import pytest

from controller.modelcache.decide import Room, State, Verdict, Why
from controller.modelcache.rules import User
from controller.modelcache.told import cache_status, group_status, quantity, reason

USER = User("ns", "iris", active=True)
FULL = Verdict(State.FAILED, Why.FULL, "it needs 12 GiB")


def test_a_cache_that_is_there() -> None:
    said = cache_status({}, Verdict(State.HERE, Why.HERE, "1 GiB"), [USER], "laptop", 0)
    assert said == {
        "nodeStatus": {"laptop": "NodeDownloaded"},
        "copies": {"available": 1, "total": 1, "failed": 0},
        "inferenceServices": [{"namespace": "ns", "name": "iris"}],
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Downloaded",
                "message": "1 GiB",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            }
        ],
    }
    assert cache_status(said, Verdict(State.HERE, Why.HERE, "1 GiB"), [USER], "laptop", 9) == said


def test_a_cache_without_room() -> None:
    said = cache_status({}, FULL, [], "laptop", 0)
    assert said["nodeStatus"] == {"laptop": "NodeDownloadError"}
    assert said["copies"] == {"available": 0, "total": 1, "failed": 1}
    assert reason(said) == ("CacheFull", "it needs 12 GiB")
    assert "inferenceServices" not in said


def test_a_cache_for_other_nodes() -> None:
    said = cache_status({}, None, [], "laptop", 0)
    assert said["copies"] == {"available": 0, "total": 0, "failed": 0}
    assert reason(said)[0] == "OtherNodes"


def test_the_room_of_a_group() -> None:
    assert group_status(Room(10 << 30, 4 << 30)) == {"used": "4Gi", "available": "6Gi"}
    assert group_status(Room(10, 12)) == {"used": "12", "available": "0"}
    assert group_status(None) == {}


@pytest.mark.parametrize(
    ("size_bytes", "used", "free"),
    [
        (0, "0", "0"),
        (1023, "1023", "1023"),
        (5 << 30, "5Gi", "5Gi"),
        ((5 << 30) + 1, "5121Mi", "5120Mi"),
        (3 << 10, "3Ki", "3Ki"),
        (1_234_567, "1206Ki", "1205Ki"),
        ((2000 << 30) + 7, "2001Gi", "2000Gi"),
    ],
)
def test_amounts_are_rounded_to_the_safe_side(size_bytes: int, used: str, free: str) -> None:
    assert (quantity(size_bytes, up=True), quantity(size_bytes, up=False)) == (used, free)
