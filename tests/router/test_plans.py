"""Which graph a request is for, and how graphs are replaced."""

import pytest

from router.config import GraphSource
from router.plans import HOST_BYTES, HOSTS_REMEMBERED, Plans, Service, below, host_names
from tests.router.whole import source
from tests.scripts import sequence, step, switch


def simple(name: str, namespace: str = "test", target: str = "a") -> GraphSource:
    return source(name, {"root": sequence(step(target))}, namespace)


def plans(*graphs: GraphSource, default: str | None = None, compat: bool = False) -> Plans:
    made = Plans(default=default, compat=compat)
    assert install(made, *graphs) == ()
    return made


def install(served: Plans, *graphs: GraphSource) -> tuple[str, ...]:
    """As a worker does it: all, or what is wrong."""
    compiled = served.compiled(graphs)
    if not compiled.problems:
        served.install(compiled)
    return compiled.problems


SERVED = (simple("iris"), simple("iris", "prod"), simple("digits"), simple("my-iris", "a-b"))


def found(path: bytes = b"/", host: bytes = b"", default: str | None = None) -> str | None:
    plan = plans(*SERVED, default=default).routes.find(path, host)
    return None if plan is None else plan.key


PATHS = {
    "a graph by name": (b"/graphs/test/iris", "test/iris"),
    "the same name in another namespace": (b"/graphs/prod/iris", "prod/iris"),
    "anything below it": (b"/graphs/test/iris/v1/models/m:predict", "test/iris"),
    "a slash at the end": (b"/graphs/test/iris/", "test/iris"),
    "an unknown name": (b"/graphs/test/iri", None),
    "a name that only begins so": (b"/graphs/test/iris2", None),
    "no name": (b"/graphs/test", None),
    "no namespace": (b"/graphs//iris", None),
    "nothing": (b"/graphs/", None),
    "case matters": (b"/graphs/test/Iris", None),
    "escapes are not undone": (b"/graphs/test/%69ris", None),
    "dots are names like others": (b"/graphs/x/../test/iris", None),
}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("default", [None, "test/digits"])
def test_by_path(name: str, default: str | None) -> None:
    """What asks for a graph by path never gets another one: neither by host nor by default."""
    path, expected = PATHS[name]
    assert found(path, b"digits.test", default) == expected


HOSTS = {
    "name.namespace": (b"iris.test", "test/iris"),
    "the DNS of a cluster": (b"iris.prod.svc.cluster.local", "prod/iris"),
    "with a port": (b"iris.test:8080", "test/iris"),
    "in any case": (b"IRIS.Test.Example.COM", "test/iris"),
    "name-namespace": (b"iris-test.example.com", "test/iris"),
    "name-namespace alone": (b"iris-test", "test/iris"),
    "name-namespace with a port": (b"digits-test:80", "test/digits"),
    "hyphens in both": (b"my-iris-a-b.example.com", "a-b/my-iris"),
    "hyphens in both, by dots": (b"my-iris.a-b", "a-b/my-iris"),
    "an unknown name": (b"rose.test", None),
    "an unknown namespace": (b"iris.dev", None),
    "only the name": (b"iris", None),
    "a longer label": (b"iris-test2.example.com", None),
    "a name further right": (b"www.iris.test", None),
    "no host": (b"", None),
    "an address": (b"127.0.0.1:8080", None),
    "an IPv6 address": (b"[::1]:8080", None),
    "garbage": (b"\xff\x00", None),
}


@pytest.mark.parametrize("name", HOSTS)
def test_by_host(name: str) -> None:
    host, expected = HOSTS[name]
    assert found(b"/v1/models/m:predict", host) == expected
    assert found(b"/", host, "test/digits") == (expected or "test/digits")


MODELS = {
    "V1, to predict": (b"/v1/models/digits:predict", "test/digits"),
    "V1, to explain": (b"/v1/models/digits:explain", "test/digits"),
    "V1, the model": (b"/v1/models/digits", "test/digits"),
    "V2, to infer": (b"/v2/models/digits/infer", "test/digits"),
    "V2, a version": (b"/v2/models/digits/versions/1/infer", "test/digits"),
    "V2, the model": (b"/v2/models/digits", "test/digits"),
    "the key of a graph": (b"/v2/models/prod/iris/ready", "prod/iris"),
    "the key in V1": (b"/v1/models/prod/iris:predict", "prod/iris"),
    "the key, escaped": (b"/v2/models/prod%2Firis/infer", "prod/iris"),
    "escapes are undone": (b"/v2/models/d%69gits/infer", "test/digits"),
    "a name that two have": (b"/v2/models/iris/infer", None),
    "an unknown name": (b"/v2/models/rose/infer", None),
    "no name": (b"/v2/models/", None),
    "an unknown namespace": (b"/v2/models/dev/iris/infer", None),
    "another path": (b"/v3/models/digits", None),
    "deeper": (b"/x/v2/models/digits/infer", None),
    "no text": (b"/v2/models/%ff%00/infer", None),
}


@pytest.mark.parametrize("name", MODELS)
def test_by_model(name: str) -> None:
    path, expected = MODELS[name]
    assert found(path) == expected
    assert found(path, b"nobody.knows", "a-b/my-iris") == (expected or "a-b/my-iris")
    assert found(path, b"iris.test", "a-b/my-iris") == "test/iris", "the host goes before"


def test_what_a_graph_is_called() -> None:
    routes = plans(*SERVED).routes
    called = {plan.key: routes.called(plan) for plan in routes.plans.values()}
    assert called == {
        "test/iris": "test/iris",
        "prod/iris": "prod/iris",
        "test/digits": "digits",
        "a-b/my-iris": "my-iris",
    }


def test_graphs_alone_is_a_path_like_others() -> None:
    assert found(b"/graphs", b"iris.test") == "test/iris"


# services without a graph

SERVICES = ("test/model", "prod/model", "test/iris", "a/b-c", "a-b/c", "test/model-predictor")

BY_PATH = {
    "a service by name": (b"/services/test/model", "test/model"),
    "anything below it": (b"/services/prod/model/v1/models/m:predict", "prod/model"),
    "a slash at the end": (b"/services/test/model/", "test/model"),
    "an unknown name": (b"/services/test/mode", None),
    "no name": (b"/services/test", None),
    "nothing": (b"/services/", None),
}

BY_HOST = {
    "name.namespace": (b"model.prod", "prod/model"),
    "the DNS of a cluster": (b"model.prod.svc.cluster.local:80", "prod/model"),
    "name-namespace": (b"model-prod.example.com", "prod/model"),
    "its predictor": (b"model-predictor.prod.svc.cluster.local", "prod/model"),
    "its transformer": (b"model-transformer.prod", "prod/model"),
    "its predictor, by hyphens": (b"model-predictor-prod.example.com", "prod/model"),
    "another one that is called so": (b"model-predictor.test", "test/model-predictor"),
    "a graph of that name is first": (b"iris.test", "graph test/iris"),
    "its part is nobody else's": (b"iris-predictor.test", "test/iris"),
    "what two could mean": (b"a-b-c.example.com", None),
    "by dots it is clear": (b"c.a-b", "a-b/c"),
    "an unknown name": (b"models.prod", None),
}


def service(path: bytes = b"/", host: bytes = b"", default: str | None = None) -> str | None:
    """What is found; a graph is called one."""
    made = Plans(default=default, compat=False)
    made.install(made.compiled(SERVED), SERVICES)
    found = made.routes.find(path, host)
    if found is None or isinstance(found, Service):
        return None if found is None else found.key
    return f"graph {found.key}"


@pytest.mark.parametrize("name", BY_PATH)
@pytest.mark.parametrize("default", [None, "test/digits"])
def test_a_service_by_path(name: str, default: str | None) -> None:
    path, expected = BY_PATH[name]
    assert service(path, b"digits.test", default) == expected


@pytest.mark.parametrize("name", BY_HOST)
def test_a_service_by_host(name: str) -> None:
    host, expected = BY_HOST[name]
    assert service(b"/v2/health/ready", host) == expected
    assert service(b"/", host, "test/digits") == (expected or "graph test/digits")


REMAINING = {
    "below it": (b"/services/ns/m/v1/models/m:predict", b"/v1/models/m:predict"),
    "itself": (b"/services/ns/m", b"/"),
    "a slash": (b"/services/ns/m/", b"/"),
    "slashes that matter": (b"/services/ns/m//a/%2F/", b"//a/%2F/"),
    "by host": (b"/v2/health/ready", b"/v2/health/ready"),
}


@pytest.mark.parametrize("name", REMAINING)
def test_what_a_service_is_asked_for(name: str) -> None:
    path, expected = REMAINING[name]
    assert below(path) == expected


def test_a_table_of_the_same_services_keeps_what_hosts_mean() -> None:
    served = plans(*SERVED)
    served.install(served.compiled(SERVED), SERVICES)
    before = served.routes
    served.install(served.compiled(SERVED), reversed(SERVICES))
    assert served.routes is before
    served.install(served.compiled(SERVED), SERVICES[:-1])
    assert served.routes.services.keys() == set(SERVICES[:-1])


def test_a_default_that_is_not_there() -> None:
    assert found(b"/", b"", "test/gone") is None


def test_host_names() -> None:
    assert host_names("ns", "g") == ("g.ns", "g-ns")


def test_hosts_are_remembered_up_to_a_number() -> None:
    routes = plans(*SERVED, default="test/digits").routes
    for index in range(3 * HOSTS_REMEMBERED):
        plan = routes.find(b"/", b"host%d.example" % index)
        assert plan is not None
    assert len(routes._hosts) == HOSTS_REMEMBERED
    plan = routes.find(b"/", b"iris.test")  # beyond them it is looked up each time
    assert plan is not None
    assert plan.key == "test/iris"


def test_hosts_longer_than_a_name_can_be_are_not_remembered() -> None:
    routes = plans(*SERVED, default="test/iris").routes
    long = b"a." * HOST_BYTES
    assert routes.find(b"/", long) is routes.find(b"/", b"else.where")
    assert list(routes._hosts) == [b"else.where"]


def test_paths_of_models_are_remembered_up_to_a_number() -> None:
    routes = plans(*SERVED).routes
    for index in range(3 * HOSTS_REMEMBERED):
        assert routes.find(b"/v2/models/digits/%d" % index, b"") is routes.plans["test/digits"]
    assert routes.find(b"/v2/models/digits/" + b"x" * HOST_BYTES, b"") is not None
    assert len(routes._models) == HOSTS_REMEMBERED
    assert all(len(path) <= HOST_BYTES for path in routes._models)


# replacing


def test_nothing_is_served_at_first() -> None:
    assert Plans(default=None, compat=False).routes.find(b"/graphs/test/iris", b"") is None


def test_a_new_generation_replaces_the_old_one_whole() -> None:
    served = plans(simple("a"), simple("b"))
    assert install(served, simple("b", target="other"), simple("c")) == ()
    assert set(served.routes.plans) == {"test/b", "test/c"}
    assert served.routes.plans["test/b"].targets[0].name == "http://other.test/"


def test_a_request_keeps_the_plan_it_began_with() -> None:
    served = plans(simple("a"))
    began = served.routes.find(b"/graphs/test/a", b"")
    install(served, simple("a", target="other"))
    assert began is not None
    assert began.targets[0].name == "http://a.test/"
    assert served.routes.find(b"/graphs/test/a", b"") is not began


def test_hosts_of_the_old_generation_are_forgotten() -> None:
    served = plans(simple("a"))
    assert served.routes.find(b"/", b"b.test") is None
    install(served, simple("a"), simple("b"))
    assert served.routes.find(b"/", b"b.test") is served.routes.plans["test/b"]


def test_one_bad_graph_and_nothing_changes() -> None:
    served = plans(simple("a"))
    before = served.routes
    bad = source("b", {"root": sequence(step("x", node="nowhere"))})
    problems = install(served, simple("a", target="other"), bad)
    assert len(problems) == 1
    assert problems[0].startswith("test/b: unknown-node: ")
    assert served.routes is before
    assert install(served, simple("a", target="other")) == ()


def test_all_problems_of_all_graphs_are_said() -> None:
    bad = source("b", {"root": sequence(step("x", node="n"), step("y", node="m"))})
    worse = GraphSource("test/c", b'{"metadata": {}}')
    worst = GraphSource("test/d", b"\xff not json")
    problems = install(Plans(default=None, compat=False), bad, worse, worst)
    assert [problem.split(":")[0] for problem in problems] == [
        *("test/b", "test/b", "test/c", "test/d")
    ]


def test_warnings_are_no_problems() -> None:
    assert plans(source("w", {"root": switch(step("a"), step("b", condition="x"))}))


def test_unchanged_graphs_are_not_compiled_again() -> None:
    served = plans(simple("a"), simple("b"))
    kept, changed = served.routes.plans["test/a"], served.routes.plans["test/b"]
    install(served, simple("b", target="other"), simple("a"))
    assert served.routes.plans["test/a"] is kept
    assert served.routes.plans["test/b"] is not changed


def test_after_a_bad_generation_good_plans_are_still_known() -> None:
    served = plans(simple("a"))
    kept = served.routes.plans["test/a"]
    install(served, GraphSource("test/b", b"{}"))
    install(served, simple("a"))
    assert served.routes.plans["test/a"] is kept


def test_a_graph_that_left_is_compiled_when_it_comes_back() -> None:
    served = plans(simple("a"))
    kept = served.routes.plans["test/a"]
    install(served)
    assert served.routes.plans == {}
    install(served, simple("a"))
    assert served.routes.plans["test/a"] is not kept


def test_compat_is_for_every_graph() -> None:
    assert all(plan.compat for plan in plans(*SERVED, compat=True).routes.plans.values())
    assert not any(plan.compat for plan in plans(*SERVED).routes.plans.values())


# graphs that call graphs


def calling(name: str, *urls: str) -> GraphSource:
    return source(name, {"root": sequence(*({"serviceUrl": url} for url in urls))})


def test_targets_that_are_graphs_are_known_by_their_urls() -> None:
    here, cluster = "http://127.0.0.1:8080/graphs/test/b/x", "http://b.test.svc/"
    served = Plans(default=None, compat=False, port=8080)
    others = "http://127.0.0.1:9/graphs/test/b", "http://c.test.svc/"
    assert install(served, calling("a", here, cluster, *others), simple("b", target="other")) == ()
    routes = served.routes
    assert {url: plan.key for url, plan in routes.inner.items()} == {
        here: "test/b",
        cluster: "test/b",
    }
    asked = [target.name for target in routes.targets(routes.plans["test/a"])]
    assert sorted(asked) == sorted([*others, "http://other.test/"])


def test_a_service_of_a_graphs_name_has_its_host() -> None:
    served = Plans(default=None, compat=False)
    compiled = served.compiled([calling("a", "http://b.test"), simple("b", target="other")])
    served.install(compiled, ["test/b"])
    assert served.routes.inner == {}


def test_graphs_that_call_one_another_in_a_circle_are_not_installed() -> None:
    served = Plans(default=None, compat=False, port=8080)
    assert install(served, calling("a", "http://b.test"), simple("b", target="other")) == ()
    before = served.routes
    back = calling("b", "http://localhost:8080/graphs/test/a")
    problems = install(served, calling("a", "http://b.test"), back)
    assert problems == (
        "graphs call one another in a circle: test/a -> test/b -> test/a; step test/b/root/0 leads"
        " back by its serviceUrl `http://localhost:8080/graphs/test/a`: lead it elsewhere",
    )
    assert served.routes is before


def test_a_step_that_closes_a_circle_is_named_wherever_it_stands() -> None:
    served = Plans(default=None, compat=False)
    once = {"nodeName": "deep"}
    below = sequence({"serviceUrl": "http://x.test:9/"}, {"serviceUrl": "http://a.test/"})
    both = calling("a", "http://b.test"), source("b", {"root": sequence(once, once), "deep": below})
    (problem,) = install(served, *both)
    assert "step test/b/deep/1 leads back by its serviceUrl `http://a.test/`: lead" in problem


def test_a_service_that_its_graph_calls_by_their_common_name_is_no_graph() -> None:
    served = Plans(default=None, compat=False)
    assert install(served, calling("a", "http://a.test"), calling("b", "http://a.test")) == ()
    assert served.routes.inner == {}
