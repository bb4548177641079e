"""Sequence: every branch of its contract, as conversations."""

from typing import Any

import pytest

from tests.scripts import Fields, plan, play, sequence, step

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
