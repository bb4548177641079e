"""Which URLs are those of graphs, and which graphs call one another in a circle."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.inner import depths, inner_graph, loops

GRAPHS = {"prod/cats", "prod/dogs"}

URLS = {
    "http://cats.prod": "prod/cats",
    "http://cats.prod/v1/models/cats:predict": "prod/cats",
    "http://cats.prod.svc/": "prod/cats",
    "http://cats.prod.svc.cluster.local/": "prod/cats",
    "http://cats.prod.svc.cluster.local./": "prod/cats",
    "http://CATS.prod:80/": "prod/cats",
    "http://cats.prod:8080/": "prod/cats",
    "http://127.0.0.1:8080/graphs/prod/cats": "prod/cats",
    "http://localhost:8080/graphs/prod/dogs/v2/models/x/infer": "prod/dogs",
    "http://[::1]:8080/graphs/prod/dogs?a=b": "prod/dogs",
    "http://dogs.prod/": None,
    "http://cats.prod/graphs/prod/dogs": None,
    "http://cats.prod:9000/": None,
    "https://cats.prod/": None,
    "grpc://cats.prod/": None,
    "http://cats/": None,
    "http://cats.test/": None,
    "http://cats.prod.example.com/": None,
    "http://127.0.0.1/graphs/prod/cats": None,
    "http://127.0.0.1:9000/graphs/prod/cats": None,
    "http://127.0.0.1:8080/graphs/prod/birds": None,
    "http://127.0.0.1:8080/graphs/prod": None,
    "http://127.0.0.1:8080/cats": None,
    "http://elsewhere:8080/graphs/prod/cats": None,
    "http://cats.prod:port/": None,
    "http://[": None,
}


@pytest.mark.parametrize("url", URLS)
def test_a_url_may_be_a_graph(url: str) -> None:
    assert inner_graph(url, GRAPHS, 8080, "prod/dogs") == URLS[url]


def test_without_a_port_nothing_is_known_to_be_our_own() -> None:
    assert inner_graph("http://127.0.0.1:8080/graphs/prod/cats", GRAPHS, 0) is None
    assert inner_graph("http://127.0.0.1/graphs/prod/cats", GRAPHS, 0) is None


_NAMES = st.sampled_from("abcdef")
_CALLS = st.dictionaries(_NAMES, st.lists(_NAMES, max_size=3), max_size=6).map(
    lambda calls: {name: calls.get(name, []) for name in "abcdef"}
)


@given(_CALLS)
def test_loops_are_found_and_nothing_else(calls: dict[str, list[str]]) -> None:
    found = loops(calls)
    for circle in found:
        assert circle[0] == circle[-1]
        assert all(b in calls[a] for a, b in pairwise(circle))
    broken = {(circle[-2], circle[-1]) for circle in found}
    left = {a: [b for b in called if (a, b) not in broken] for a, called in calls.items()}
    assert loops(left) == []
    depth = depths(left)
    assert all(depth[a] > depth[b] for a, called in left.items() for b in called)
    assert bool(found) == any(_reaches(calls, name, name) for name in calls)


def _reaches(calls: dict[str, list[str]], start: str, end: str) -> bool:
    seen: set[str] = set()
    waiting = list(calls[start])
    while waiting:
        name = waiting.pop()
        if name == end:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(calls[name])
    return False
