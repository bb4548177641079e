"""The Upstream over HTTP: which replica is asked, and what an install changes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.effects import Failure, Reply
from graph.plan import Target
from router.config import DataPlaneConfig, EndpointSource, UpstreamConfig
from tests.kit.eventually import eventually
from tests.kit.predictor import Predictor
from tests.kit.scripts import Gate, hold, raw, render
from tests.router.upstream.asking import SERVICE, Asking


@pytest.fixture
async def asking() -> AsyncIterator[Asking]:
    asking = Asking()
    yield asking
    asking.close()


def url_target(predictor: Predictor, path: str) -> Target:
    url = predictor.url(path)
    return Target(url, url)


async def test_a_url_is_posted_to_with_its_path_and_query(
    asking: Asking, predictor: Predictor
) -> None:
    answer = await asking.ask(url_target(predictor, "/v1/models/a:predict?b=c"))
    assert isinstance(answer, Reply)
    (request,) = predictor.requests
    assert (request.method, request.path) == (b"POST", b"/v1/models/a:predict?b=c")
    assert request.header(b"host") == predictor.origin.removeprefix("http://").encode()
    assert request.header(b"x-a") == b"b"


async def test_two_targets_of_one_place_share_connections(
    asking: Asking, predictor: Predictor
) -> None:
    await asking.ask(url_target(predictor, "/a"))
    await asking.ask(url_target(predictor, "/b"))
    assert len(predictor.connections) == 1


async def test_a_service_nobody_knows(asking: Asking) -> None:
    answer = await asking.ask(SERVICE)
    assert isinstance(answer, Failure)
    assert answer.kind.value == "unresolved"


async def test_a_service_with_nobody_ready(asking: Asking) -> None:
    asking.upstream.install([SERVICE], {"ns/iris": EndpointSource.of((), "/p")})
    answer = await asking.ask(SERVICE)
    assert isinstance(answer, Failure)
    assert answer.kind.value == "unresolved"
    assert "no ready replica" in answer.cause


async def test_the_replica_with_the_fewest_calls_is_asked(asking: Asking) -> None:
    gate = Gate()
    async with Predictor() as one, Predictor() as other:
        for predictor in (one, other):
            predictor.on("/p", hold(gate))
        source = EndpointSource.of((one.origin, other.origin), "/p")
        asking.upstream.install([SERVICE], {"ns/iris": source})
        answers = [asking.start(SERVICE) for _ in range(10)]
        await eventually(lambda: one.heads + other.heads == 10)
        assert one.heads == other.heads == 5
        gate.open()
        for answer in answers:
            await answer.answer()


async def test_an_install_moves_a_service_and_ends_what_is_left(asking: Asking) -> None:
    async with Predictor() as one, Predictor() as other:
        for predictor in (one, other, one):
            before = predictor.served
            source = EndpointSource.of((predictor.origin,), "/p")
            asking.upstream.install([SERVICE], {"ns/iris": source})
            assert isinstance(await asking.ask(SERVICE), Reply)
            assert predictor.served == before + 1
        await eventually(lambda: other.open_connections == 0)
        asking.upstream.sweep()
        assert one.open_connections == 1


async def test_a_call_outlives_the_install_that_takes_its_target_away(asking: Asking) -> None:
    gate = Gate()
    async with Predictor() as predictor:
        predictor.on("/p", hold(gate))
        target = url_target(predictor, "/p")
        asking.upstream.install([target], {})
        answers = asking.start(target)
        await eventually(lambda: predictor.heads == 1)
        asking.upstream.install([], {})
        gate.open()
        assert isinstance(await answers.answer(), Reply)
        await eventually(lambda: predictor.open_connections == 0)


async def test_headers_that_describe_the_body_pass_and_no_others(
    asking: Asking, predictor: Predictor
) -> None:
    headers = (
        (b"Content-Type", b"text/x"),
        (b"Content-Encoding", b"gzip"),
        (b"Inference-Header-Content-Length", b"2"),
        (b"Set-Cookie", b"secret"),
        (b"Keep-Alive", b"timeout=5"),
    )
    predictor.on("/p", raw(render(b"{}", headers=headers)))
    answer = await asking.ask(url_target(predictor, "/p"))
    assert isinstance(answer, Reply)
    assert answer.headers == (
        (b"content-type", b"text/x"),
        (b"content-encoding", b"gzip"),
        (b"inference-header-content-length", b"2"),
    )


async def test_tensors_behind_json_need_no_type_to_be_known(
    asking: Asking, predictor: Predictor
) -> None:
    headers = ((b"Inference-Header-Content-Length", b"2"),)  # as KServe's server answers
    predictor.on("/p", raw(render(b"{}abcd", headers=headers)))
    answer = await asking.ask(url_target(predictor, "/p"))
    assert isinstance(answer, Reply)
    assert answer.document.json == b"{}"


async def test_a_file_of_authorities_that_is_none_is_found_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(OSError):
        Asking(DataPlaneConfig(upstream=UpstreamConfig(ca_file=str(file))))
