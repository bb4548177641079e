"""Sequence: every branch of its contract, as conversations."""

from typing import Any

import pytest

from tests.scripts import Fields, ensemble, plan, play, sequence, splitter, step, switch

IN = '{"x":1}'


def a_then(*rest: Fields, **first: Any) -> Fields:
    return sequence(step("a", **first), *rest)


PLAYBOOKS = {
    "one step: its answer is the outcome": (
        a_then(),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        = 200 {"y":2}
        """,
    ),
    "data unset: each step gets the node's input": (
        a_then(step("b")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > root/b {"x":1}
        < root/b 200 {"z":3}
        = 200 {"z":3}
        """,
    ),
    "data $request: the node's input": (
        a_then(step("b", data="$request")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > root/b {"x":1}
        < root/b 200 {"z":3}
        = 200 {"z":3}
        """,
    ),
    "data of any other text: the node's input": (
        a_then(step("b", data="$response.predictions"), step("c", data="$RESPONSE")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > root/b {"x":1}
        < root/b 200 {"z":3}
        > root/c {"x":1}
        < root/c 200 {}
        = 200 {}
        """,
    ),
    "data $response: the answer of the step before": (
        a_then(step("b", data="$response"), step("c", data="$response")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > root/b {"y":2}
        < root/b 200 {"z":3}
        > root/c {"z":3}
        < root/c 200 {"w":4}
        = 200 {"w":4}
        """,
    ),
    "data $response on the first step: the request": (
        a_then(data="$response"),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {}
        = 200 {}
        """,
    ),
    "the answer before is fed on whatever its status": (
        a_then(step("b", data="$response")),
        IN,
        """
        > root/a {"x":1}
        < root/a 503 {"detail":"busy"}
        > root/b {"detail":"busy"}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "an answer goes on with its own type": (
        a_then(step("b", data="$response")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 (application/octet-stream) abc
        > root/b (application/octet-stream) abc
        < root/b 200 (text/plain) ok
        = 200 (text/plain) ok
        """,
    ),
    "an answer without a type goes on as JSON, as from KServe's router": (
        a_then(step("b", data="$response")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 () {"y":2}
        > root/b {"y":2}
        < root/b 200 () {}
        = 200 () {}
        """,
    ),
    "text is what servers say of JSON that they do not name: it goes on as JSON": (
        a_then(step("b", data="$response"), step("c", data="$response")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 (text/plain; charset=utf-8) {"y":2}
        > root/b {"y":2}
        < root/b 200 (TEXT/HTML) {"z":3}
        > root/c {"z":3}
        < root/c 200 {}
        = 200 {}
        """,
    ),
    "an empty answer is fed on and returned as it is": (
        a_then(step("b", data="$response")),
        IN,
        """
        > root/a {"x":1}
        < root/a 204 ()
        > root/b
        < root/b 204 ()
        = 204 ()
        """,
    ),
    # dependency
    "soft, not 2xx: the next step runs": (
        a_then(step("b"), dependency="Soft"),
        IN,
        """
        > root/a {"x":1}
        < root/a 500 {"detail":"no"}
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "an empty dependency is soft": (
        a_then(step("b"), dependency=""),
        IN,
        """
        > root/a {"x":1}
        < root/a 404 {"detail":"no"}
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a soft last step gives its own failing status": (
        a_then(step("b")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {}
        > root/b {"x":1}
        < root/b 422 {"detail":"bad input"}
        = 422 {"detail":"bad input"}
        """,
    ),
    "hard, not 2xx: that answer ends it": (
        a_then(step("b"), dependency="Hard"),
        IN,
        """
        > root/a {"x":1}
        < root/a 429 (text/plain) slow down
        = 429 (text/plain) slow down
        """,
    ),
    "hard, a redirect is not 2xx": (
        a_then(step("b"), dependency="Hard"),
        IN,
        """
        > root/a {"x":1}
        < root/a 307 ()
        = 307 ()
        """,
    ),
    "hard, 299 is 2xx": (
        a_then(step("b"), dependency="Hard"),
        IN,
        """
        > root/a {"x":1}
        < root/a 299 {}
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "hard, 300 is not": (
        a_then(step("b"), dependency="Hard"),
        IN,
        """
        > root/a {"x":1}
        < root/a 300 {}
        = 300 {}
        """,
    ),
    # no answer at all
    "soft, no answer: it ends all the same": (
        a_then(step("b")),
        IN,
        """
        > root/a {"x":1}
        < root/a connect: refused
        = connect at root/a: refused
        """,
    ),
    "hard, no answer": (
        a_then(step("b", dependency="Hard"), step("c")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {}
        > root/b {"x":1}
        < root/b timeout: too slow
        = timeout at root/b: too slow
        """,
    ),
    # conditions
    "a condition is tested on the answer before: met": (
        a_then(step("b", condition="y")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":null}
        > root/b {"x":1}
        < root/b 200 {"z":3}
        = 200 {"z":3}
        """,
    ),
    "unmet: the answer before is the outcome, later steps do not run": (
        a_then(step("b", condition="z"), step("c")),
        IN,
        """
        > root/a {"x":1}
        < root/a 201 {"y":2}
        = 201 {"y":2}
        """,
    ),
    "unmet after a soft step that failed: its own status, not 200": (
        a_then(step("b", condition="z")),
        IN,
        """
        > root/a {"x":1}
        < root/a 500 {"y":2}
        = 500 {"y":2}
        """,
    ),
    "a condition never looks at what the step is fed": (
        a_then(step("b", condition="x")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        = 200 {"y":2}
        """,
    ),
    "an empty condition is none": (
        a_then(step("b", condition="")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 not json
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a condition on an answer that is not JSON": (
        a_then(step("b", condition="y")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 (text/plain) oops
        = invalid_answer at root/b: invalid response
        """,
    ),
    "a condition on an empty answer": (
        a_then(step("b", condition="@this")),
        IN,
        """
        > root/a {"x":1}
        < root/a 204 ()
        = invalid_answer at root/b: invalid response
        """,
    ),
    "a condition on the first step is tested on the request: met": (
        a_then(condition="x"),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {}
        = 200 {}
        """,
    ),
    "a condition on the first step: unmet, nothing ran": (
        a_then(step("b"), condition="y"),
        IN,
        """
        = no_match at root/a: the condition of the first step was not met
        """,
    ),
    "a condition on the first step, the request is not JSON": (
        a_then(condition="@this"),
        "not json",
        """
        = no_match at root/a: the condition of the first step was not met
        """,
    ),
    # mapPredictionsToInstances
    "predictions become instances": (
        a_then(step("b", data="$response", mapPredictionsToInstances=True)),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"predictions":[1,2]}
        > root/b {"instances":[1,2]}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "without $response the request is mapped": (
        a_then(mapPredictionsToInstances=True),
        '{"predictions":[1]}',
        """
        > root/a {"instances":[1]}
        < root/a 200 {}
        = 200 {}
        """,
    ),
    "a mapped body is JSON, whatever it was called before": (
        a_then(step("b", data="$response", mapPredictionsToInstances=True)),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 (application/vnd.model) {"predictions":[1]}
        > root/b {"instances":[1]}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "without predictions the answer goes on as it is": (
        a_then(step("b", data="$response", mapPredictionsToInstances=True)),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"outputs": []}
        > root/b {"outputs": []}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "condition and mapping look at different bodies": (
        a_then(step("b", condition="ok", mapPredictionsToInstances=True)),
        '{"predictions":[7]}',
        """
        > root/a {"predictions":[7]}
        < root/a 200 {"ok":true,"predictions":[1]}
        > root/b {"instances":[7]}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    # addresses
    "unnamed steps are called by index": (
        sequence(step(), step()),
        IN,
        """
        > root/0 {"x":1}
        < root/0 200 {}
        > root/1 {"x":1}
        < root/1 200 {}
        = 200 {}
        """,
    ),
}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbook(name: str) -> None:
    root, body, playbook = PLAYBOOKS[name]
    play(plan(root), body, playbook)


NESTED = {
    "a nested node gets what a leaf would": (
        sequence(step("a"), step("n", node="inner", data="$response")),
        sequence(step("i"), step("j")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > inner/i {"y":2}
        < inner/i 200 {}
        > inner/j {"y":2}
        < inner/j 200 {"z":3}
        = 200 {"z":3}
        """,
    ),
    "the answer of a nested node is an answer like others": (
        sequence(step("n", node="inner", dependency="Hard"), step("b", data="$response")),
        ensemble(step("i"), step("j")),
        """
        > inner/i {"x":1}
        > inner/j {"x":1}
        < inner/j 200 2
        < inner/i 200 1
        > root/b {"i":1,"j":2}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a hard nested node that answers other than 2xx": (
        sequence(step("n", node="inner", dependency="Hard"), step("b")),
        splitter(step("i", weight=100)),
        """
        > inner/i {"x":1}
        < inner/i 500 {"no":1}
        = 500 {"no":1}
        """,
    ),
    "a soft nested node that answers other than 2xx": (
        sequence(step("n", node="inner"), step("b")),
        splitter(step("i", weight=100)),
        """
        > inner/i {"x":1}
        < inner/i 500 {"no":1}
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a nested failure ends the parent, soft or not": (
        sequence(step("n", node="inner"), step("b")),
        sequence(step("i")),
        """
        > inner/i {"x":1}
        < inner/i reset: gone
        = reset at inner/i: gone
        """,
    ),
    "a nested Switch without a match ends the parent with 404": (
        sequence(step("n", node="inner"), step("b")),
        switch(step("i", condition="y")),
        """
        = no_match at inner: None of the routes matched with the switch condition
        """,
    ),
    "the condition of a nested node's first step is tested on what it was fed": (
        sequence(step("a"), step("n", node="inner", data="$response")),
        sequence(step("i", condition="y")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > inner/i {"y":2}
        < inner/i 200 {}
        = 200 {}
        """,
    ),
    "the condition of a nested node's first step: unmet": (
        sequence(step("a"), step("n", node="inner", data="$response")),
        sequence(step("i", condition="x")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        = no_match at inner/i: the condition of the first step was not met
        """,
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested(name: str) -> None:
    root, inner, playbook = NESTED[name]
    play(plan(root, inner=inner), IN, playbook)


COMPAT = {
    "unmet after a soft step that failed: 200": (
        a_then(step("b", condition="z")),
        """
        > root/a {"x":1}
        < root/a 500 (text/x-note) {"y":2}
        = 200 (text/x-note) {"y":2}
        """,
    ),
    "a condition on the first step is always an error, even if the request has the path": (
        a_then(condition="x"),
        """
        = invalid_answer at root/a: invalid response
        """,
    ),
    "met conditions go on as ever": (
        a_then(step("b", condition="y")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
}


@pytest.mark.parametrize("name", COMPAT)
def test_compat(name: str) -> None:
    root, playbook = COMPAT[name]
    play(plan(root, compat=True), IN, playbook)


def test_the_callers_headers_go_with_every_call() -> None:
    propagated = ((b"x-tenant", b"t1"), (b"x-tenant", b"t2"))
    played = play(
        plan(a_then(step("b", data="$response"))),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > root/b {"y":2}
        < root/b 200 {}
        = 200 {}
        """,
        propagated=propagated,
    )
    json = ((b"content-type", b"application/json"),)
    assert [made.call.headers for made in played.upstream.calls] == [json + propagated] * 2


def test_the_request_goes_on_with_the_headers_that_describe_it() -> None:
    headers = ((b"content-type", b"image/png"), (b"content-encoding", b"gzip"))
    played = play(
        plan(a_then()),
        "png",
        """
        > root/a (image/png) png
        < root/a 200 {}
        = 200 {}
        """,
        headers=headers,
    )
    assert played.upstream.calls[0].call.headers == headers
