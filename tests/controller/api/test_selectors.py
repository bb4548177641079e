"""Label and field selectors, as Kubernetes reads them."""

from typing import Any

import pytest

from controller.api.selectors import selector
from controller.resources.kinds import by_name
from controller.store.errors import ApiError
from controller.store.own_kinds import EVENT

ISVC = by_name("isvc")
assert ISVC is not None

LABELS: list[Any] = [
    ("app=a", {"app": "a"}, True),
    ("app==a", {"app": "a"}, True),
    ("app=a", {"app": "b"}, False),
    ("app=a", {}, False),
    ("app=", {"app": ""}, True),
    ("app!=a", {"app": "b"}, True),
    ("app!=a", {}, True),
    ("app!=a", {"app": "a"}, False),
    ("app", {"app": ""}, True),
    ("app", {}, False),
    ("!app", {}, True),
    ("!app", {"app": "a"}, False),
    ("app in (a, b)", {"app": "b"}, True),
    ("app in (a,b)", {"app": "c"}, False),
    ("app in (a,b)", {}, False),
    ("app notin (a,b)", {"app": "c"}, True),
    ("app notin (a,b)", {}, True),
    ("app notin (a,b)", {"app": "a"}, False),
    ("app in (a,b),tier=x", {"app": "a", "tier": "x"}, True),
    ("app in (a,b),tier=x", {"app": "a", "tier": "y"}, False),
    ("serving.kserve.io/x=a.b-c_d", {"serving.kserve.io/x": "a.b-c_d"}, True),
    (" app = a , !b ", {"app": "a"}, True),
]


@pytest.mark.parametrize(("text", "labels", "chosen"), LABELS)
def test_labels(text: str, labels: dict[str, str], chosen: bool) -> None:
    matches = selector(ISVC, text, "")
    assert matches is not None
    assert matches({"metadata": {"labels": labels}}) is chosen
    assert matches({"metadata": {"labels": labels or None}}) is chosen


FIELDS: list[Any] = [
    ("metadata.name=a", True),
    ("metadata.name!=a", False),
    ("metadata.namespace=x,metadata.name=a", True),
    ("involvedObject.kind=Thing,type!=Normal", True),
    ("involvedObject.uid=", True),
    ("involvedObject.name=", False),
    ("source=graphway", True),
]


@pytest.mark.parametrize(("text", "chosen"), FIELDS)
def test_fields(text: str, chosen: bool) -> None:
    matches = selector(EVENT, "", text)
    event = {
        "metadata": {"name": "a", "namespace": "x"},
        "involvedObject": {"kind": "Thing", "name": "b"},
        "type": "Warning",
        "source": {"component": "graphway"},
    }
    assert matches is not None
    assert matches(event) is chosen


def test_no_selector_means_all() -> None:
    assert selector(ISVC, " ", "") is None


@pytest.mark.parametrize(
    ("labels", "fields"),
    [
        ("a in b", ""),
        ("a in (b", ""),
        ("=a", ""),
        ("a=b=c", ""),
        ("a,,b", ""),
        ("a b", ""),
        ("(" * 999, ""),
        ("", "metadata.name"),
        ("", "spec.predictor=x"),
        ("", "type=Normal"),  # of events, not of these
        ("", "=x"),
    ],
)
def test_what_cannot_be_read_is_refused(labels: str, fields: str) -> None:
    with pytest.raises(ApiError) as refused:
        selector(ISVC, labels, fields)
    assert refused.value.code == 400
