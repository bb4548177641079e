"""Ensemble: every branch of its contract, as conversations."""

import json
from itertools import permutations

import pytest

from tests.scripts import ensemble, plan, play, step

IN = '{"x":1}'
ASKED_ABC = """
        > root/a {"x":1}
        > root/b {"x":1}
        > root/c {"x":1}
"""


def failed(cause: str) -> str:
    return json.dumps({"error": "Failed to process request", "cause": cause}, separators=(",", ":"))


NOT_JSON = failed("the answer is not JSON")

PLAYBOOKS = {
    "all at once on the input, merged by name in the order of steps": (
        ensemble(step("a"), step("b"), step("c")),
        f"""{ASKED_ABC}
        < root/c 200 {{"c":3}}
        < root/a 200 {{"a":1}}
        < root/b 200 {{"b":2}}
        = 200 {{"a":{{"a":1}},"b":{{"b":2}},"c":{{"c":3}}}}
        """,
    ),
    "unnamed steps by index": (
        ensemble(step(), step("b"), step()),
        """
        > root/0 {"x":1}
        > root/b {"x":1}
        > root/2 {"x":1}
        < root/0 200 {}
        < root/b 200 {}
        < root/2 200 {}
        = 200 {"0":{},"b":{},"2":{}}
        """,
    ),
    "one step": (
        ensemble(step("a")),
        """
        > root/a {"x":1}
        < root/a 200 {}
        = 200 {"a":{}}
        """,
    ),
    # soft
    "soft, not 2xx: its body is the value, the status 200": (
        ensemble(step("a"), step("b")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        < root/a 500 {"detail":"no"}
        < root/b 404 {"detail":"nor here"}
        = 200 {"a":{"detail":"no"},"b":{"detail":"nor here"}}
        """,
    ),
    "soft, no answer: its key holds the error": (
        ensemble(step("a"), step("b")),
        f"""
        > root/a {{"x":1}}
        > root/b {{"x":1}}
        < root/a timeout: a.test: no answer within 1 s
        < root/b 200 {{}}
        = 200 {{"a":{failed("a.test: no answer within 1 s")},"b":{{}}}}
        """,
    ),
    "all without an answer": (
        ensemble(step("a"), step("b")),
        f"""
        > root/a {{"x":1}}
        > root/b {{"x":1}}
        < root/b connect: no "b"
        < root/a connect: no a
        = 200 {{"a":{failed("no a")},"b":{failed('no "b"')}}}
        """,
    ),
    "soft, not JSON: its key holds the error, whatever the status": (
        ensemble(step("a"), step("b"), step("c")),
        f"""{ASKED_ABC}
        < root/a 200 (text/plain) hello
        < root/b 500 <html>
        < root/c 204 ()
        = 200 {{"a":{NOT_JSON},"b":{NOT_JSON},"c":{NOT_JSON}}}
        """,
    ),
    "any JSON value is kept": (
        ensemble(step("a"), step("b"), step("c"), step("d"), step("e"), step("f")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        > root/c {"x":1}
        > root/d {"x":1}
        > root/e {"x":1}
        > root/f {"x":1}
        < root/a 200 [1,2]
        < root/b 200 null
        < root/c 200 "text"
        < root/d 200 1e9
        < root/e 200 false
        < root/f 200 (text/plain) {}
        = 200 {"a":[1,2],"b":null,"c":"text","d":1e9,"e":false,"f":{}}
        """,
    ),
    "bytes stay as they are": (
        ensemble(step("a"), step("b")),
        r"""
        > root/a {"x":1}
        > root/b {"x":1}
        < root/a 200 {"n":9007199254740993,"b":1,"b":2}
        < root/b 200 [ "<&>", "\u00e9", "\/", -0.0, 0.10 ]
        = 200 {"a":{"n":9007199254740993,"b":1,"b":2},"b":[ "<&>", "\u00e9", "\/", -0.0, 0.10 ]}
        """,
    ),
    # hard
    "hard, 2xx: like soft": (
        ensemble(step("a", dependency="Hard"), step("b", dependency="Hard")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        < root/b 201 2
        < root/a 200 1
        = 200 {"a":1,"b":2}
        """,
    ),
    "hard, not 2xx: its answer ends it, the rest is cancelled": (
        ensemble(step("a", dependency="Hard"), step("b"), step("c", dependency="Hard")),
        f"""{ASKED_ABC}
        < root/a 429 (text/plain) slow down
        x root/b
        x root/c
        = 429 (text/plain) slow down
        """,
    ),
    "hard, no answer: the same": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b reset: gone
        x root/a
        x root/c
        = reset at root/b: gone
        """,
    ),
    "hard, not JSON": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 200 (text/plain) hello
        x root/a
        x root/c
        = invalid_answer at root/b: the answer is not JSON
        """,
    ),
    "hard, not 2xx and not JSON: the answer passes": (
        ensemble(step("a", dependency="Hard")),
        """
        > root/a {"x":1}
        < root/a 500 <html>
        = 500 <html>
        """,
    ),
    "a hard failure waits for hard steps before it, which may decide instead": (
        ensemble(step("a", dependency="Hard"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 500 {{"b":1}}
        < root/a 400 {{"a":1}}
        x root/c
        = 400 {{"a":1}}
        """,
    ),
    "and if they do not, it decides": (
        ensemble(step("a", dependency="Hard"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 500 {{"b":1}}
        < root/a 200 {{"a":1}}
        x root/c
        = 500 {{"b":1}}
        """,
    ),
    "soft steps before it are not waited for": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c", dependency="Hard")),
        f"""{ASKED_ABC}
        < root/b 500 {{"b":1}}
        x root/a
        x root/c
        = 500 {{"b":1}}
        """,
    ),
    "data, condition, weight and mapping are not an Ensemble's": (
        ensemble(
            step(
                "a",
                data="$response",
                condition="none",
                weight=0,
                mapPredictionsToInstances=True,
            )
        ),
        """
        > root/a {"x":1}
        < root/a 200 {}
        = 200 {"a":{}}
        """,
    ),
}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbook(name: str) -> None:
    root, playbook = PLAYBOOKS[name]
    play(plan(root), IN, playbook)


@pytest.mark.parametrize("order", list(permutations("abcd")), ids="".join)
def test_the_first_hard_failure_in_order_decides_whatever_the_order_of_arrival(
    order: tuple[str, ...],
) -> None:
    """a is soft and fails, b is hard and fine, c and d are hard and fail: c decides."""
    root = ensemble(
        step("a"),
        step("b", dependency="Hard"),
        step("c", dependency="Hard"),
        step("d", dependency="Hard"),
    )
    given = {"a": "500 {}", "b": "200 {}", "c": "501 {}", "d": "502 {}"}
    settled = max(order.index("b"), order.index("c"))  # nobody before c is open then
    lines = [f"> root/{name} {IN}" for name in "abcd"]
    lines += [f"< root/{name} {given[name]}" for name in order[: settled + 1]]
    lines += [f"x root/{name}" for name in "abcd" if order.index(name) > settled]
    play(plan(root), IN, "\n".join([*lines, "= 501 {}"]))
