"""Bodies made to hurt, from clients and as predictors' answers: each gets the status that its
grammar deserves, from the same living worker, while others are answered beside it.

All predictors echo, so one table of bodies serves for both directions: a Switch reads the request
itself, a Sequence and an Ensemble read what a predictor answered.
"""

import asyncio
import contextlib
import http.client
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.manifests import graph, path
from tests.kit.message import Response
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import echo

DEADLINE_S = 60.0
DEEP = 200_000
LONG = 10_000_000
LESS = 2_000_000
SURROGATE = rb'"\ud800"'

JSON: dict[str, bytes] = {  # by the grammar; the strings may still hold anything
    "a lone surrogate": b'{"a": %b}' % SURROGATE,
    "a lone surrogate as key": b'{%b: 1, "predictions": [1]}' % SURROGATE,
    "surrogates the wrong way round": rb'["\udc00\ud800"]',
    "an escaped NUL": rb'{"a\u0000b": "\u0000"}',
    "duplicate keys": b'{"a": 1, "a": {"b": 2}, "a": [3], "": 4, "": 5}',
    "20,000 duplicate keys": b'{%b"a": 2}' % (b'"a": 1, ' * 20_000),
    "a number beyond floats": b'{"a": 1e999, "b": -1e999, "c": 1e-999}',
    "a number of 100,000 digits": b'{"a": %b}' % (b"9" * 100_000),
    "a fraction of 100,000 digits": b"[0.%b]" % (b"1" * 100_000),
    "an exponent of 100,000 digits": b'{"a": 1e%b}' % (b"1" * 100_000),
    "minus zero": b'{"a": -0, "b": -0.0e-0}',
    "a string of 10 MB": b'{"a": "%b"}' % (b"a" * LONG),
    "a key of 2 MB": b'{"%b": 1}' % (b"a" * LESS),
    "an escaped string of 2 MB": b'{"a": "%b"}' % (rb"\n" * (LESS // 2)),
    "2 MB of blanks": b" " * LESS + b"{}",
    "200,000 elements": b'{"instances": [%b0]}' % (b"0," * 200_000),
    "20,000 keys": b"{%b}" % b",".join(b'"k%d": %d' % (n, n) for n in range(20_000)),
    "100,000 empty arrays": b"[%b[]]" % (b"[]," * 100_000),
    "an empty key": b'{"": {"": {"": 1}}}',
    "arrays 500 deep": b"[" * 500 + b"]" * 500,
    "objects 9,000 deep": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "a scalar": b"1",
    "null": b"null",
    "an empty string": b'""',
}
DEEPER: dict[str, bytes] = {  # JSON too, but no reader of the other side gets through it
    "arrays 200,000 deep": b"[" * DEEP + b"]" * DEEP,
    "objects 200,000 deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep predictions": b'{"predictions": [%b%b]}' % (b"[" * DEEP, b"]" * DEEP),
    "both in turn 200,000 deep": b'[{"a":' * DEEP + b"1" + b"}]" * DEEP,
}
NOT_UTF8: dict[str, bytes] = {  # JSON for conditions, but not for whoever gets the merged answer
    "invalid UTF-8": b'{"a": "\xff\xfe"}',
    "half a character": b'{"a": "\xe2\x82"}',
    "an overlong slash": b'{"a": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "invalid UTF-8 as a key": b'{"\xff": [1]}',
}
NOT_JSON: dict[str, bytes] = {
    "arrays that never close": b"[" * DEEP,
    "objects that never close": b'{"a":' * DEEP,
    "deep, closed by the wrong bracket": b"[" * DEEP + b"}" * DEEP,
    "a NUL": b"\0",
    "a NUL behind JSON": b'{"a": 1}\0',
    "a raw control character": b'{"a": "\x01"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "a leading zero": b'{"a": 01}',
    "a trailing comma": b"[1,]",
    "single quotes": b"{'a': 1}",
    "half an escape": rb'{"a": "\ud8"}',
    "an unknown escape": rb'{"a": "\x41"}',
    "two documents": b"{}{}",
    "blanks only": b" \n\t",
    "2 MB that end too early": b'{"a": "%b' % (b"a" * LESS),
    "random bytes": bytes(range(256)) * 1000,
}
BODIES = {**JSON, **DEEPER, **NOT_UTF8, **NOT_JSON}

ECHOING = {"gjson", "jmespath", "met", "unmet", "plain"}

# Each makes its evaluator look at all of a body, or tempts it to go back and forth in it.
GJSON = (
    "[@this].#(decision==ERROR)",
    "a.b.c.d.e.f.g.h",
    "*a*a*a*a*b",
    "?*?*?*?*.a",
    'instances.#(a%"*a*a*a*b")',
    '[@this].#(a%"*a*a*a*a*b")',
    "#.#.#.#(x>1e999)",
    "a.#(>99999999999999999999)#.nothing",
    "@reverse.nothing",
    "@flatten.nothing",
    "..#.nothing",
    "a|@ugly|b|@values|nothing.c",
    r"a\.b.*.\*",
)
JMESPATH = (
    "jmespath: a.b.c || a[*].b || *.b.c",
    "jmespath: instances[?a > `1`].b | [0]",
    "jmespath: contains(keys(@), 'nothing')",
    "jmespath: a == `1e308`",
    "jmespath: length(a) > `100000000`",
    "jmespath: sort(instances)[0] == 'x'",
)


def manifest(predictor: Predictor) -> str:
    to = {"serviceUrl": predictor.url("/echo")}

    def switch(conditions: tuple[str, ...]) -> list[dict[str, str]]:
        return [{**to, "condition": condition} for condition in (*conditions, "@this")]

    maps = {"mapPredictionsToInstances": True}
    return "".join(
        [
            graph("gjson", "Switch", *switch(GJSON)),
            graph("jmespath", "Switch", *switch(JMESPATH)),
            *(
                graph(name, "Sequence", to, {**to, "data": "$response", "condition": condition})
                for name, condition in (("met", "@this"), ("unmet", GJSON[0]))
            ),
            graph("maps", "Sequence", {**to, **maps}, {**to, **maps, "data": "$response"}),
            graph("soft", "Ensemble", {**to, "name": "a"}, {**to, "name": "b"}),
            graph("hard", "Ensemble", {**to, "dependency": "Hard"}),
            graph("plain", "Sequence", to),
        ]
    )


def refuse(constant: str) -> None:
    raise ValueError(constant)


def is_json(body: bytes) -> bool:
    """By another parser than the router's. Strings may hold what is no UTF-8. Of numbers it reads
    4,300 digits, and nothing that is deep.
    """
    try:
        json.loads(body.decode(errors="replace"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


def beyond_python(name: str) -> bool:
    return "digits" in name or "deep" in name


def is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def expected(name: str) -> dict[str, int]:
    """The status of each graph for a body."""
    valid = name not in NOT_JSON
    spliceable = name in JSON
    return {
        "gjson": 200 if valid else 404,
        "jmespath": 200 if valid else 404,
        "met": 200 if valid else 502,
        "unmet": 200 if valid else 502,
        "maps": 200,
        "soft": 200,
        "hard": 200 if spliceable else 502,
        "plain": 200,
    }


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[Router]:
    """One worker, which must be the same at the end."""
    async with Predictor(remembers=False) as predictor:
        predictor.default = echo()
        async with serve(manifest(predictor), "--workers", "1") as router:
            pids = router.worker_pids()
            yield router
            assert router.worker_pids() == pids
            assert "Traceback" not in router.text()


def says_why(response: Response) -> bool:
    keys: set[str] = json.loads(response.body).keys()
    return keys == {"error", "cause"}


def test_the_bodies_are_what_they_are_called() -> None:
    for name, body in JSON.items():
        assert is_json(body) or beyond_python(name), name
    for name, body in NOT_UTF8.items():
        assert is_json(body), name
        with pytest.raises(UnicodeDecodeError):
            body.decode()
    assert not [name for name, body in NOT_JSON.items() if is_json(body)]


@pytest.mark.slow
async def test_each_is_answered_as_it_deserves_while_others_go_on(serve: Serve) -> None:
    beside = request(path("plain"), b'"beside"')
    async with (
        served(serve) as router,
        Client.to(router.port) as client,
        Client.to(router.port) as other,
    ):
        for name, body in BODIES.items():
            seen: dict[str, int] = {}
            for graph_name in expected(name):
                await client.send(request(path(graph_name), body))
                await other.send(beside)
                assert (await other.response(deadline_s=DEADLINE_S)).body == b'"beside"'
                response = await client.response(deadline_s=DEADLINE_S)
                seen[graph_name] = response.status
                if response.status != 200:
                    assert says_why(response), (name, graph_name)
                elif graph_name in ECHOING:
                    assert response.body == body, (name, graph_name)
                elif graph_name in {"soft", "hard"}:
                    response.body.decode()  # whoever gets it can read it
                    assert is_json(response.body) or beyond_python(name), name
            assert seen == expected(name), name


TOKENS = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b" ", b"1", b"-", b"0", b".", b"e9", b"1e999"),
        *(b'"', b'""', b'"a":', b'"predictions":', b'"instances":', b"[1]", b'"decision":"ERROR"'),
        *(b"null", b"true", b"NaN", b"Infinity", b"\\", rb'"\ud800"', rb'"\u0000"', b"\n", b"\0"),
        *(b"\xff", b'"\xc0\xaf"', b"\xef\xbb\xbf", "\u2028".encode(), "\U0001f600".encode()),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
ODD = st.one_of(
    st.binary(),
    st.lists(TOKENS).map(b"".join),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.builds(  # JSON with something wrong in it, perhaps
        lambda value, at, more: json.dumps(value).encode()[:at] + more,
        *(VALUES, st.integers(0, 50), TOKENS),
    ),
)


@pytest.mark.slow
async def test_any_body_gets_what_its_grammar_deserves(serve: Serve) -> None:
    async with served(serve) as router:
        await asyncio.to_thread(ask_with_odd_bodies, router.port)


def ask_with_odd_bodies(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)

    def ask(name: str, body: bytes) -> tuple[int, bytes]:
        connection.request("POST", path(name), body)
        response = connection.getresponse()
        return response.status, response.read()

    @given(ODD)
    @settings(max_examples=150, deadline=None)
    def each(body: bytes) -> None:
        valid = is_json(body)
        for name in ("gjson", "jmespath"):
            status, answer = ask(name, body)
            assert status == (200 if valid else 404)
            assert answer == body if valid else is_json(answer)
        for name in ("met", "unmet"):
            assert ask(name, body)[0] == (200 if valid else 502)
        status, answer = ask("soft", body)
        part = json.loads(answer)["a"]
        assert status == 200
        if valid and is_utf8(body):
            assert json.dumps(part) == json.dumps(json.loads(body))  # NaN of 1e999 - 1e999 is equal
        else:
            assert part.keys() == {"error", "cause"}
        status, answer = ask("maps", body)
        assert status == 200
        assert is_json(answer) == valid

    with contextlib.closing(connection):
        each()
