"""spec -> Plan: what every field of a manifest becomes."""

import pytest

from graph.compiler import COMPAT_ANNOTATION, compile, revision
from graph.conditions import compile as compile_condition
from graph.plan import PlanNode, Target, Timeouts
from graph.problems import InvalidGraph
from graph.spec import GraphSpec, InferenceGraph, RouterType
from tests.scripts import Fields, ensemble, graph, plan, sequence, splitter, step, switch


def spec(nodes: Fields, **rest: object) -> GraphSpec:
    return GraphSpec.model_validate({"nodes": nodes, **rest})


ONE = {"root": sequence(step("a"))}


def test_a_plan_is_named_after_its_graph() -> None:
    compiled = compile(graph(sequence(step("a"))))
    assert (compiled.namespace, compiled.name, compiled.key) == ("test", "g", "test/g")
    assert compiled.root.address == "test/g/root"
    assert compiled.revision_bytes == compiled.revision.encode()


def test_a_graph_without_a_namespace_is_in_default() -> None:
    manifest = InferenceGraph.model_validate({"metadata": {"name": "g"}, "spec": {"nodes": ONE}})
    assert compile(manifest).key == "default/g"


def test_a_bare_spec_compiles_too() -> None:
    assert compile(spec(ONE)).key == "default/graph"


def test_a_step_with_all_that_it_may_say() -> None:
    said = step(
        "a",
        data="$response",
        mapPredictionsToInstances=True,
        dependency="Hard",
        condition="x.y",
        serviceUrl="http://a.test/v1",
    )
    compiled = plan(sequence(step("first"), said)).root.steps[1]
    assert compiled.address == "test/g/root/a"
    assert compiled.key == "a"
    assert compiled.target == Target("http://a.test/v1", "http://a.test/v1")
    assert compiled.node is None
    assert compiled.hard
    assert compiled.takes_response
    assert compiled.maps_predictions
    assert compiled.condition is not None
    assert compiled.condition.text == "x.y"
    assert compiled.timeout_s is None


def test_a_step_that_says_only_where() -> None:
    compiled = plan(sequence({"serviceName": "iris"})).root.steps[0]
    assert compiled.address == "test/g/root/0"
    assert compiled.key == "0"
    assert compiled.target == Target("service:test/iris", None)
    assert not compiled.hard
    assert not compiled.takes_response
    assert not compiled.maps_predictions
    assert compiled.condition is None


def test_a_step_that_leads_to_a_node() -> None:
    compiled = plan(sequence(step("n", node="inner")), inner=ensemble(step("a"))).root.steps[0]
    assert compiled.target is None
    assert compiled.node is not None
    assert compiled.node.address == "test/g/inner"
    assert compiled.node.kind is RouterType.ENSEMBLE


@pytest.mark.parametrize(
    ("dependency", "hard"), [(None, False), ("", False), ("Soft", False), ("Hard", True)]
)
def test_dependency(dependency: str | None, hard: bool) -> None:
    assert plan(sequence(step("a", dependency=dependency))).root.steps[0].hard is hard


READS = {
    "a Switch": (switch(step("a", condition="x")), True),
    "a Sequence that maps the request": (
        sequence(step("a", mapPredictionsToInstances=True), step("b")),
        True,
    ),
    "a Sequence with a condition on the request": (sequence(step("a", condition="x")), True),
    "a Sequence that maps the request in a later step": (
        sequence(step("a"), step("b", mapPredictionsToInstances=True)),
        True,
    ),
    "a Sequence that maps answers only": (
        sequence(step("a"), step("b", data="$response", mapPredictionsToInstances=True)),
        False,
    ),
    "a plain Sequence": (sequence(step("a"), step("b", condition="x")), False),
    "an Ensemble": (ensemble(step("a")), False),
    "a Splitter": (splitter(step("a", weight=100)), False),
}


@pytest.mark.parametrize("name", READS)
def test_who_reads_the_request_body(name: str) -> None:
    root, reads = READS[name]
    assert plan(root).root.reads_body is reads


def test_weights_are_running_sums() -> None:
    root = splitter(step("a", weight=20), step("b", weight=0), step("c", weight=80))
    assert plan(root).root.cumulative == (20, 20, 100)


def test_equal_targets_are_one() -> None:
    shared = {"serviceUrl": "http://s.test/"}
    compiled = plan(sequence(shared, {"serviceName": "iris"}, shared, {"serviceName": "iris"}))
    assert compiled.targets == (
        Target("http://s.test/", "http://s.test/"),
        Target("service:test/iris", None),
    )
    steps = compiled.root.steps
    assert steps[0].target is steps[2].target


def test_a_node_that_several_steps_lead_to_is_one() -> None:
    compiled = plan(
        sequence(step("n", node="x"), step("m", node="y")),
        x=sequence(step("i", node="z")),
        y=sequence(step("j", node="z")),
        z=sequence(step("k")),
    )
    x, y = (each.node for each in compiled.root.steps)
    assert x is not None
    assert y is not None
    assert x.steps[0].node is y.steps[0].node


def test_nodes_that_nothing_leads_to_are_left_out() -> None:
    compiled = plan(sequence(step("a")), spare=sequence(step("b")))
    assert [target.name for target in compiled.targets] == ["http://a.test/"]


def test_a_graph_as_deep_as_the_check_allows() -> None:
    nodes = {f"n{index}": sequence(step("x", node=f"n{index + 1}")) for index in range(250)}
    compiled = plan(sequence(step("x", node="n0")), nodes, n250=sequence(step("leaf")))
    node: PlanNode | None = compiled.root
    depth = 0
    while node is not None:
        node, depth = node.steps[0].node, depth + 1
    assert depth == 252


def test_wide_diamonds_compile_in_no_time() -> None:
    """Each node is lowered once, though the paths to the last are 2 to the power of 12."""
    layers = 12
    nodes = {
        f"n{index}": switch(
            step("l", node=f"n{index + 1}", condition="x"),
            step("r", node=f"n{index + 1}", condition="y"),
        )
        for index in range(layers)
    }
    nodes[f"n{layers}"] = sequence(step("leaf"))
    compiled = plan(sequence(step("x", node="n0")), nodes)
    assert len(compiled.targets) == 1


TIMEOUTS: dict[str, tuple[Fields, Timeouts]] = {
    "nothing said": ({}, Timeouts(60.0, 60.0, 180.0)),
    "all said": (
        {"routerTimeouts": {"serverRead": 1, "serverWrite": 2, "serverIdle": 3}},
        Timeouts(1.0, 2.0, 3.0),
    ),
    "0 is none": (
        {"routerTimeouts": {"serverRead": 0, "serverWrite": 0, "serverIdle": 0}},
        Timeouts(None, None, None),
    ),
    "below 0 is none": (
        {"timeout": -1, "routerTimeouts": {"serverRead": -1, "serverWrite": -5, "serverIdle": -9}},
        Timeouts(None, None, None),
    ),
    "the graph's timeout beside the default": ({"timeout": 5}, Timeouts(60.0, 60.0, 180.0, 5.0)),
    "the graph's timeout alone": (
        {"timeout": 90, "routerTimeouts": {"serverWrite": 0}},
        Timeouts(60.0, None, 180.0, 90.0),
    ),
}


@pytest.mark.parametrize("name", TIMEOUTS)
def test_timeouts(name: str) -> None:
    given, expected = TIMEOUTS[name]
    assert compile(spec(ONE, **given)).timeouts == expected


@pytest.mark.parametrize(("given", "expected"), [(None, None), (7, 7.0), (0, None), (-3, None)])
def test_the_time_of_one_call(given: int | None, expected: float | None) -> None:
    compiled = compile(spec(ONE, routerTimeouts={"serviceClient": given}))
    assert compiled.root.steps[0].timeout_s == expected


COMPAT = {
    "by default not": ({}, False, False),
    "asked for": ({}, True, True),
    "by annotation": ({COMPAT_ANNOTATION: "kserve"}, False, True),
    "an annotation of another value": ({COMPAT_ANNOTATION: "other"}, False, False),
    "the setting wins over the annotation": ({COMPAT_ANNOTATION: "other"}, True, True),
}


@pytest.mark.parametrize("name", COMPAT)
def test_compat(name: str) -> None:
    annotations, asked, expected = COMPAT[name]
    root, inner = sequence(step("n", node="inner")), sequence(step("a"))
    compiled = compile(graph(root, annotations=annotations, inner=inner), compat=asked)
    nested = compiled.root.steps[0].node
    assert nested is not None
    assert [compiled.compat, compiled.root.compat, nested.compat] == [expected] * 3


def test_every_error_is_raised_at_once() -> None:
    bad = {
        "root": splitter(step("a", weight=50), step("b", weight=20)),
        "spare": sequence(step("c", node="nowhere")),
    }
    with pytest.raises(InvalidGraph) as raised:
        compile(spec({**bad, "root": {**bad["root"], "steps": [step("a"), {"name": "x"}]}}))
    codes = [problem.code for problem in raised.value.problems]
    assert {"missing-weight", "no-target"} <= set(codes)


def test_warnings_do_not_stop_it() -> None:
    compile(spec({"root": switch(step("a"), step("b", condition="x"))}))


def test_a_condition_text_is_compiled_with_the_language_it_names() -> None:
    texts = ("a.b", "jmespath:a.b")
    compiled = plan(switch(*(step(condition=text) for text in texts))).root.steps
    for text, each in zip(texts, compiled, strict=True):
        assert each.condition is not None
        assert type(each.condition) is type(compile_condition(text))
        assert each.condition.text == text


class TestRevision:
    def test_is_eight_hex_digits(self) -> None:
        assert len(revision(spec(ONE))) == 8
        int(revision(spec(ONE)), 16)

    def test_is_the_same_for_ever(self) -> None:
        """Logs and dashboards keep it: a change of this figure is a change of all of them."""
        assert revision(spec(ONE)) == "f5af510e"

    def test_ignores_what_says_nothing(self) -> None:
        spelled = {"root": {"routerType": "Sequence", "steps": [{**step("a"), "condition": None}]}}
        assert revision(spec(spelled)) == revision(spec(ONE))

    def test_ignores_the_order_of_keys(self) -> None:
        two = {"root": sequence(step("n", node="x")), "x": sequence(step("a"))}
        turned = dict(reversed(two.items()))
        assert revision(spec(two)) == revision(spec(turned))

    def test_minds_the_order_of_steps(self) -> None:
        one, other = sequence(step("a"), step("b")), sequence(step("b"), step("a"))
        assert revision(spec({"root": one})) != revision(spec({"root": other}))

    @pytest.mark.parametrize(
        "changed",
        [
            {"nodes": {"root": sequence(step("b"))}},
            {"nodes": {"root": ensemble(step("a"))}},
            {"nodes": ONE, "timeout": 5},
            {"nodes": ONE, "minReplicas": 2},
        ],
        ids=["a step", "a kind", "a time", "a replica"],
    )
    def test_changes_with_what_the_spec_says(self, changed: Fields) -> None:
        assert revision(GraphSpec.model_validate(changed)) != revision(spec(ONE))


def test_names_with_slashes_stay_one_part_of_an_address() -> None:
    compiled = compile(spec({"root": sequence(step(node="x/y")), "x/y": sequence(step("b/c"))}))
    inner = compiled.root.steps[0].node
    assert inner is not None
    assert inner.steps[0].address == "default/graph/x%2Fy/b%2Fc"


def test_what_no_request_comes_to_may_be_wrong() -> None:
    lost = sequence(step("a", data="jmespath: ["), {"data": "jmespath: steps.none.response"})
    compiled = plan(sequence(step("s")), lost=lost)
    assert not compiled.records
