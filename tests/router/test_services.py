"""Where a serviceName leads: the flag, else the InferenceService's manifest, else the cluster."""

import json

import pytest

from graph.loader import Document, load
from router.config import EndpointSource
from router.services import GivenService, endpoints_of

IN_CLUSTER = EndpointSource.of(
    ("http://iris-predictor.ns.svc.cluster.local",), "/v1/models/iris:predict"
)
DECLARED = EndpointSource.of(("http://iris-predictor.ns.svc.cluster.local",), "/v2/models/m/infer")
HERE = "http://127.0.0.1:9000"


def graph(*services: str) -> Document:
    steps = [{"serviceName": name} for name in services]
    text = json.dumps(
        {
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": "InferenceGraph",
            "metadata": {"name": "g", "namespace": "ns"},
            "spec": {"nodes": {"root": {"routerType": "Sequence", "steps": steps}}},
        }
    )
    (document,) = load(text, "g.json")
    return document


@pytest.mark.parametrize(
    ("given", "declared", "endpoint", "warned"),
    [
        pytest.param([], {}, IN_CLUSTER, True, id="nobody knows it: the usual place, a warning"),
        pytest.param([], {"ns/iris": DECLARED}, DECLARED, False, id="its manifest tells"),
        pytest.param([], {"other/iris": DECLARED}, IN_CLUSTER, True, id="not one elsewhere"),
        pytest.param(
            [f"iris={HERE}"],
            {},
            EndpointSource.of((HERE,), "/v1/models/iris:predict"),
            False,
            id="the flag, with the usual path",
        ),
        pytest.param(
            [f"iris={HERE}/"],
            {"ns/iris": DECLARED},
            EndpointSource.of((HERE,), "/v2/models/m/infer"),
            False,
            id="the flag, with the path of the manifest",
        ),
        pytest.param(
            [f"iris={HERE}/my/path?x=1"],
            {"ns/iris": DECLARED},
            EndpointSource.of((HERE,), "/my/path?x=1"),
            False,
            id="the flag has the whole URL",
        ),
        pytest.param(
            ["iris=http://no", f"ns/iris={HERE}"],
            {},
            EndpointSource.of((HERE,), "/v1/models/iris:predict"),
            False,
            id="the flag with the namespace is stronger",
        ),
        pytest.param(
            ["iris=unix:/run/iris.sock"],
            {},
            EndpointSource.of(("unix:/run/iris.sock",), "/v1/models/iris:predict"),
            False,
            id="a unix socket",
        ),
    ],
)
def test_where_a_service_is(
    given: list[str], declared: dict[str, EndpointSource], endpoint: EndpointSource, warned: bool
) -> None:
    flags = [GivenService.parse(text) for text in given]
    endpoints, warnings = endpoints_of([graph("iris")], flags, declared)
    assert endpoints == {"ns/iris": endpoint}
    assert bool(warnings) is warned
    assert not any(warning.is_error for warning in warnings)


def test_the_flag_alone_makes_a_service_known_where_it_tells_the_namespace() -> None:
    flags = [GivenService.parse(text) for text in (f"other/rose={HERE}", f"tulip={HERE}")]
    endpoints, _ = endpoints_of([graph("iris")], flags, {})
    assert endpoints == {
        "ns/iris": IN_CLUSTER,
        "other/rose": EndpointSource.of((HERE,), "/v1/models/rose:predict"),
    }


def test_a_warning_stands_where_the_name_does() -> None:
    _, (warning, _) = endpoints_of([graph("iris", "wine")], (), {})
    assert (warning.file, warning.graph) == ("g.json", "ns/g")
    assert warning.problem.path == ("spec", "nodes", "root", "steps", 0, "serviceName")
    assert "--service iris=URL" in warning.problem.message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("iris", id="no URL"),
        pytest.param("=http://h", id="no name"),
        pytest.param("a/b/c=http://h", id="too many parts"),
        pytest.param("/iris=http://h", id="an empty namespace"),
        pytest.param("iris=h:1", id="no scheme"),
        pytest.param("iris=ftp://h", id="another scheme"),
        pytest.param("iris=http://", id="no host"),
        pytest.param("iris=http://h:99999", id="no such port"),
        pytest.param("iris=", id="nothing"),
    ],
)
def test_what_is_no_service_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError) as raised:
        GivenService.parse(text)
    assert str(raised.value).startswith(f"--service {text}: ")
