"""Fields that nobody knows: refused unless the client says otherwise (kubectl --validate)."""

import json

import pytest

from tests.controller.api.kit import CONFIGS, IRIS, SERVICES, Api, config, iris

GRAPHS = "/apis/serving.kserve.io/v1alpha1/namespaces/default/inferencegraphs"
WRONG = iris() | {
    "spec": {
        "predictor": {"sklearn": {"storageUri": "s3://models/iris", "storageURI": "x"}, "b": 1}
    }
}
RIGHT = iris()["spec"]


@pytest.mark.parametrize("how", ["", "Strict"])
async def test_they_are_refused(api: Api, how: str) -> None:
    query = {"fieldValidation": how} if how else {}
    status, said = await api.call("POST", SERVICES, json=WRONG, params=query)
    assert status == 422
    fields = {cause["field"] for cause in said["details"]["causes"]}
    assert fields == {"spec.predictor.sklearn.storageURI", "spec.predictor.b"}


@pytest.mark.parametrize(("how", "warnings"), [("Warn", 2), ("Ignore", 0)])
async def test_they_are_dropped(api: Api, how: str, warnings: int) -> None:
    async with api.session.post(
        api.url + SERVICES, json=WRONG, params={"fieldValidation": how}
    ) as answer:
        assert answer.status == 201
        assert (await answer.json())["spec"] == RIGHT
        told = answer.headers.getall("Warning", [])
    assert len(told) == warnings
    assert all("unknown key" in one for one in told)


async def test_other_faults_are_faults_all_the_same(api: Api) -> None:
    two = WRONG | {"spec": {"predictor": WRONG["spec"]["predictor"] | {"minReplicas": "two"}}}
    query = {"fieldValidation": "Ignore"}
    status, said = await api.call("POST", SERVICES, json=two, params=query)
    assert status == 422
    assert {cause["field"] for cause in said["details"]["causes"]} == {"spec.predictor.minReplicas"}


async def test_in_graphs_metadata_patches_and_core_kinds_too(api: Api) -> None:
    step = {"serviceUrl": "http://a", "serviceURL": "http://b"}
    graph = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "g"},
        "spec": {"nodes": {"root": {"routerType": "Sequence", "steps": [step]}}},
    }
    query = {"fieldValidation": "Ignore"}
    made = await api.ok("POST", GRAPHS, json=graph, params=query)
    assert made["spec"]["nodes"]["root"]["steps"] == [{"serviceUrl": "http://a"}]
    strange = config("c") | {"metadata": {"name": "c", "lables": {}}, "dta": {}}
    made = await api.ok("POST", CONFIGS, json=strange, params=query)
    assert "dta" not in made
    await api.ok("POST", SERVICES, json=iris())
    _, patched = await api.patch(IRIS, "merge-patch+json", {"spec": {"x": 1}}, **query)
    assert patched["spec"] == RIGHT
    assert patched["metadata"]["generation"] == 1


async def test_thousands_of_them_are_not_looked_for_one_by_one(api: Api) -> None:
    many = iris() | {"spec": RIGHT | {f"x{number}": 1 for number in range(20_000)}}
    query = {"fieldValidation": "Ignore"}
    assert await api.refused("POST", SERVICES, json=many, params=query) == (422, "Invalid")


async def test_a_word_that_is_none(api: Api) -> None:
    query = {"fieldValidation": "Perhaps"}
    assert await api.refused("POST", SERVICES, json=iris(), params=query) == (400, "BadRequest")


async def test_kubectl_asks_as_its_user_says(api: Api) -> None:
    text = json.dumps(WRONG)
    code, said = await api.try_kubectl("apply", "-f", "-", stdin=text)
    assert code != 0
    assert "storageURI" in said
    said = await api.kubectl("apply", "--validate=warn", "-f", "-", stdin=text)
    assert "Warning: spec.predictor.b: unknown key" in said
    assert (await api.ok("GET", IRIS))["spec"] == RIGHT
    said = await api.kubectl("apply", "--validate=false", "-f", "-", stdin=text)
    assert "Warning" not in said
