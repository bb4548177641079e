"""Which caches count on a machine, and for which services."""

from typing import Any

import pytest

from controller.modelcache.rules import cache_name, is_on, model_uris, node_name, placed, users
from controller.resources.localmodel import AnyLocalModelCache, LocalModelNodeGroup
from controller.resources.parse import parse_object
from tests.controller.manifests import yaml
from tests.controller.modelcache import kit

HERE = "laptop"


def group(affinity: str = "{}") -> LocalModelNodeGroup:
    found, problems = parse_object(yaml(kit.group(affinity=affinity)))
    assert isinstance(found, LocalModelNodeGroup), problems
    return found


def cache(name: str, uri: str = "s3://m/iris", **rest: str) -> AnyLocalModelCache:
    found, problems = parse_object(yaml(kit.cache(name, uri, **rest)))
    assert isinstance(found, AnyLocalModelCache), problems
    return found


def terms(*terms: str) -> str:
    return f"{{nodeAffinity: {{required: {{nodeSelectorTerms: [{', '.join(terms)}]}}}}}}"


def term(key: str, operator: str, *values: str, where: str = "matchExpressions") -> str:
    one = f"{{key: {key}, operator: {operator}, values: [{', '.join(values)}]}}"
    return f"{{{where}: [{one}]}}"


NAME = "kubernetes.io/hostname"
AFFINITY = {
    "none": ("{}", True),
    "this host": (terms(term(NAME, "In", "other", "laptop")), True),
    "however it is written": (terms(term(NAME, "In", "LAPTOP")), True),
    "another host": (terms(term(NAME, "In", "other")), False),
    "not this host": (terms(term(NAME, "NotIn", "laptop")), False),
    "some host": (terms(term(NAME, "Exists")), True),
    "no host": (terms(term(NAME, "DoesNotExist")), False),
    "one of two terms": (terms(term(NAME, "In", "other"), term(NAME, "In", "laptop")), True),
    "the name of the node": (
        terms(term("metadata.name", "In", "other", where="matchFields")),
        False,
    ),
    "a label that only a cluster has": (terms(term("gpu", "In", "h200")), True),
}


@pytest.mark.parametrize(("affinity", "on"), AFFINITY.values(), ids=AFFINITY.keys())
def test_which_groups_this_machine_is_in(affinity: str, on: bool) -> None:
    assert is_on(group(affinity), HERE) is on


def test_names_of_nodes_can_be_names_of_objects() -> None:
    assert node_name("My_Laptop.local") == "my-laptop.local"
    assert node_name("...") == "this-machine"


def test_a_cache_takes_the_room_of_its_first_group_here() -> None:
    groups = {"far": group(terms(term(NAME, "In", "far"))), "a": group(), "b": group()}
    both = cache("both", groups="[far, b, a]")
    nowhere, elsewhere = cache("nowhere", groups="[x]"), cache("elsewhere", groups="[far, x]")
    found = placed([both, nowhere, elsewhere], groups, HERE)
    assert [(each.cache.name, each.group) for each in found] == [("both", "b"), ("nowhere", "")]
    assert found[1].problem == "there is no LocalModelNodeGroup x; add one"


def service(spec: dict[str, Any], name: str = "iris", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"} | metadata, "spec": spec}


def of(uri: str, **metadata: Any) -> dict[str, Any]:
    return service({"predictor": {"model": {"storageUri": uri}}}, **metadata)


MODELS = {
    "by model": ({"predictor": {"model": {"storageUri": "a"}}}, ["a"]),
    "by framework": ({"predictor": {"sklearn": {"storageUri": "a"}}}, ["a"]),
    "containers": ({"predictor": {"containers": [{}]}}, []),
    "with a canary": (
        {
            "predictor": {"model": {"storageUri": "a"}},
            "canary": [{"predictor": {"model": {"storageUri": "b"}}}],
        },
        ["a", "b"],
    ),
    "a canary with the same model": (
        {"predictor": {"model": {"storageUri": "a"}}, "canary": [{"predictor": {}}]},
        ["a"],
    ),
}


@pytest.mark.parametrize(("spec", "uris"), MODELS.values(), ids=MODELS.keys())
def test_the_models_of_a_service(spec: dict[str, Any], uris: list[str]) -> None:
    assert model_uris(service(spec)) == uris


def keys(services: list[dict[str, Any]], *caches: AnyLocalModelCache) -> dict[str, list[str]]:
    return {name: [u.key for u in found] for name, found in users(services, caches).items()}


def test_users_of_caches() -> None:
    wide, own = cache("iris"), cache("own", namespace="default")
    other = cache("own", namespace="other")
    assert keys([of("s3://m/iris")], wide) == {"iris": ["default/iris"]}
    assert keys([of("s3://m/iris/v1/")], wide) == {"iris": ["default/iris"]}
    assert keys([of("s3://m/iris-2")], wide) == {}
    assert keys([of("s3://m/iris")], wide, other, own) == {"default/own": ["default/iris"]}
    assert cache_name(own) == "default/own"


def test_who_stays_out_who_goes_and_who_is_stopped() -> None:
    wide = cache("iris")
    out = {"serving.kserve.io/disable-localmodel": ""}
    group = {"serving.kserve.io/nodegroup": "other"}
    stopped = {"serving.kserve.io/stop": "true"}
    assert users([of("s3://m/iris", annotations=out)], [wide]) == {}
    assert users([of("s3://m/iris", annotations=group)], [wide]) == {}
    assert users([of("s3://m/iris", deletionTimestamp="now")], [wide]) == {}
    (user,) = users([of("s3://m/iris", annotations=stopped)], [wide])["iris"]
    assert not user.active
