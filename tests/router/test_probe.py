"""How targets are asked whether they are ready, as tables."""

import pytest

from graph.document import Document
from graph.effects import Reply
from graph.plan import Target
from router.config import EndpointSource, RevisionSource
from router.probe import Probe, described, probe, probes, unready

H = "http://h:9000"
GRPC = "/inference.GRPCInferenceService"
READY = Probe("grpc://h", f"{GRPC}/ModelReady", message=b"m")
V1 = Probe(H, "/v1/models/m")
V2 = Probe(H, "/v2/models/m/ready", "/v2/models/m")

URLS = {
    "V2": (f"{H}/v2/models/m/infer", V2),
    "V2 below a path": (
        f"{H}/a/b/v2/models/m/infer",
        Probe(f"{H}/a/b", "/v2/models/m/ready", "/v2/models/m"),
    ),
    "V2 of a version": (
        f"{H}/v2/models/m/versions/7/infer",
        Probe(H, "/v2/models/m/versions/7/ready", "/v2/models/m/versions/7"),
    ),
    "V2 with a query": (f"{H}/v2/models/m/infer?a=b", V2),
    "V2 over TLS": (
        "https://h/v2/models/m/infer",
        Probe("https://h", "/v2/models/m/ready", "/v2/models/m"),
    ),
    "V2, something else": (f"{H}/v2/models/m/generate", Probe(H)),
    "V1": (f"{H}/v1/models/m:predict", V1),
    "V1, to explain": (f"{H}/v1/models/m:explain", V1),
    "V1, something else": (f"{H}/v1/models/m:classify", Probe(H)),
    "a path": (f"{H}/v1/chat/completions", Probe(H)),
    "no path": (H, Probe(H)),
    "gRPC": ("grpc://h:9000", Probe("grpc://h:9000", f"{GRPC}/ServerReady", message=b"")),
    "gRPC, a model": (
        "grpcs://h/a%20b",
        Probe("grpcs://h", f"{GRPC}/ModelReady", message=b"\x0a\x03a b"),
    ),
}


@pytest.mark.parametrize("name", URLS)
def test_a_url(name: str) -> None:
    url, expected = URLS[name]
    assert probe(url) == expected
    assert probes(Target(url, url), {}) == [expected]
    assert described(Target(url, url), {}) == (expected if expected.v2 else None)


V2_PATH, ANY_PATH = "/v2/models/m/infer", "/p"
SERVICES = {
    "nobody knows it": (None, "service ns/s is not known here", None),
    "nobody is ready": (EndpointSource.of((), V2_PATH), "service ns/s has no ready replica", None),
    "it wakes": (EndpointSource.of((), V2_PATH, hold=True), "", None),
    "one is ready": (EndpointSource(V2_PATH, (RevisionSource("r1", 100, (H,)),)), "", V2),
    "a revision with a path": (
        EndpointSource(ANY_PATH, (RevisionSource("r1", 100, (H,), V2_PATH),)),
        "",
        V2,
    ),
    "put there by hand": (EndpointSource.of((H,), V2_PATH), [V2], V2),
    "by hand, at two places": (
        EndpointSource.of((H, "http://i"), ANY_PATH),
        [Probe(H), Probe("http://i")],
        None,
    ),
    "by hand, gRPC": (
        EndpointSource.of(("grpc://h",), V2_PATH),
        [Probe("grpc://h", f"{GRPC}/ServerReady", message=b"")],
        None,
    ),
    "by hand, a socket": (EndpointSource.of(("unix:/s",), V2_PATH), [Probe("unix:/s")], None),
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service(name: str) -> None:
    source, asked, told = SERVICES[name]
    endpoints = {} if source is None else {"ns/s": source}
    assert probes(Target("service:ns/s", None), endpoints) == asked
    assert described(Target("service:ns/s", None), endpoints) == told


ANSWERS = {
    "V2, yes": (V2, 200, b"", ""),
    "V2, with a body": (V2, 200, b'{"ready": false}', ""),
    "V2, no": (V2, 400, b"", f"{H}/v2/models/m/ready answers 400"),
    "V2, overloaded": (V2, 503, b"", f"{H}/v2/models/m/ready answers 503"),
    "V2, elsewhere": (V2, 302, b"", f"{H}/v2/models/m/ready answers 302"),
    "V1, yes": (V1, 200, b'{"name": "m", "ready": true}', ""),
    "V1, no": (V1, 200, b'{"ready": false}', f"{H}/v1/models/m says that it is not ready"),
    "V1, no in a text": (
        V1,
        200,
        b'{"ready": "False"}',
        f"{H}/v1/models/m says that it is not ready",
    ),
    "V1, a page of another shape": (V1, 200, b'{"model_version_status": []}', ""),
    "V1, no JSON": (V1, 200, b"<html>", ""),
    "V1, no such page": (V1, 404, b"", ""),
    "V1, no GETs": (V1, 405, b"", ""),
    "V1, not ready": (V1, 503, b"", f"{H}/v1/models/m answers 503"),
    "gRPC, yes": (READY, 200, b"\x08\x01", ""),
    "gRPC, no": (READY, 200, b"", f"{READY.asked} says that it is not ready"),
    "gRPC, no such method": (READY, 501, b"", ""),
    "gRPC, no such model": (READY, 404, b"", f"{READY.asked} answers 404"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name: str) -> None:
    asked, status, body, why = ANSWERS[name]
    assert unready(asked, Reply(status, (), Document(body))) == why
