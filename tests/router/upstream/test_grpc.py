"""Calls to real gRPC servers: what goes out, what comes back, and what breaks on the way."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import msgspec
import pytest
import trustme

from graph.effects import Call, Forward, Headers, Reply
from graph.plan import Target
from router.config import DataPlaneConfig
from router.upstream.resolver import Address
from router.wire.grpc.fields import model_name, text
from tests.kit.eventually import eventually
from tests.kit.grpc_predictor import grpc_predictor
from tests.router.upstream.asking import Asked, Asking

MESSAGE: Headers = ((b"content-type", b"application/grpc"),)


def to(url: str, body: bytes, timeout_s: float | None = None, headers: Headers = MESSAGE) -> Call:
    return Call("ns/g/root/0", Target(url, url), headers, body, timeout_s)


@asynccontextmanager
async def asked(config: DataPlaneConfig | None = None, **upstream: object) -> AsyncIterator[Asking]:
    asking = Asking(config, **upstream)
    try:
        yield asking
    finally:
        asking.close()


async def reply(asking: Asking, call: Call) -> Reply:
    answer = await Asked(asking.upstream, call).answer()
    assert isinstance(answer, Reply), answer
    return answer


async def test_a_message_and_its_answer() -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        answer = await reply(asking, to(predictor.url, b"hello"))
        assert (answer.status, answer.document.body) == (200, b"hello")
        assert answer.headers == MESSAGE


@pytest.mark.parametrize("size", [0, 1, 16_379, 16_384, 65_535, 1_000_000, 9_000_000])
async def test_messages_of_any_size(size: int) -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        body = bytes(range(251)) * (size // 251 + 1)
        answer = await reply(asking, to(predictor.url, body[:size]))
        assert answer.document.body == body[:size]


async def test_many_calls_share_a_connection() -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        calls = [Asked(asking.upstream, to(predictor.url, b"%d" % n)) for n in range(300)]
        for number, call in enumerate(calls):
            answer = await call.answer()
            assert isinstance(answer, Reply)
            assert answer.document.body == b"%d" % number
        opened = "graphway_upstream_connections_opened_total"
        assert asking.figures(opened) == {(("target", predictor.url),): 1}


async def test_more_calls_than_a_server_takes_get_further_connections() -> None:
    few = (("grpc.max_concurrent_streams", 2),)
    async with asked() as asking, grpc_predictor(few) as predictor:
        slow = [Asked(asking.upstream, to(predictor.url, b"slow")) for _ in range(5)]
        await eventually(lambda: predictor.running == 5, "all are worked on")
        for each in slow:
            each.running.cancel()


@pytest.mark.parametrize(
    ("code", "status"),
    [(1, 500), (3, 400), (4, 504), (5, 404), (7, 403), (8, 429), (12, 501), (13, 500), (14, 503)],
)
async def test_a_status_is_an_answer(code: int, status: int) -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        answer = await reply(asking, to(predictor.url, b"code %d n\xc3\xb6 100%%" % code))
        assert answer.status == status
        assert msgspec.json.decode(answer.document.body) == {"error": "nö 100%"}
        assert dict(answer.headers)[b"grpc-status"] == b"%d" % code
        assert dict(answer.headers)[b"grpc-message"] == b"n%C3%B6 100%25"


async def test_metadata_and_deadline_go_along() -> None:
    headers = (
        *MESSAGE,
        *((b"x-tier", b"gold"), (b"x-data-bin", b"AAEC"), (b"te", b"x"), (b"host", b"other")),
        *((b"grpc-timeout", b"1H"), (b"content-encoding", b"gzip"), (b"x-odd", b"\xff")),
    )
    async with asked() as asking, grpc_predictor() as predictor:
        answer = await reply(asking, to(predictor.url, b"metadata", 5.0, headers))
        told = dict(line.split("=", 1) for line in answer.document.body.decode().split("\n"))
        assert told.pop("user-agent") == "graphway"
        assert told == {"x-tier": "gold", "x-data-bin": str(b"\x00\x01\x02")}
        (deadline,) = predictor.deadlines
        assert deadline is not None
        assert 0 < deadline <= 5.1


async def test_the_model_of_the_path_takes_the_place_of_that_of_the_message() -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        message = text(1, b"theirs") + text(3, b"id")
        await reply(asking, to(f"{predictor.url}/ns%2Fours", message))
        (sent,) = predictor.messages
        assert sent == message + text(1, b"ns/ours")
        assert model_name(sent) == b"theirs"  # ours looks at the first, every parser at the last


async def test_metadata_of_an_answer_passes_by_setting() -> None:
    config = DataPlaneConfig(pass_response_headers=("x-kind",))
    async with asked(config) as asking, grpc_predictor() as predictor:
        answer = await reply(asking, to(predictor.url, b"describe"))
        assert answer.headers == (*MESSAGE, (b"x-kind", b"echo"))


async def test_a_call_that_takes_too_long_is_cancelled_there() -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        late = Asked(asking.upstream, to(predictor.url, b"slow", 0.2))
        kind, cause = await late.failure()
        assert (kind, cause) == ("timeout", f"{predictor.url}: no answer within 0.2 s")
        await eventually(lambda: predictor.cancelled == 1, "the server hears of it")


async def test_a_call_that_nobody_wants_any_more_is_cancelled_there() -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        given_up = Asked(asking.upstream, to(predictor.url, b"slow"))
        await eventually(lambda: predictor.running == 1, "it is worked on")
        given_up.running.cancel()
        await eventually(lambda: predictor.cancelled == 1, "the server hears of it")
        assert not given_up.answers
        answer = await reply(asking, to(predictor.url, b"next"))
        assert answer.document.body == b"next"


async def test_nobody_listens() -> None:
    async with asked() as asking:
        url = "grpc://127.0.0.1:1"
        for _ in range(2):
            kind, cause = await Asked(asking.upstream, to(url, b"x")).failure()
            assert (kind, cause) == ("connect", f"{url}: connection refused")


async def test_a_server_that_speaks_http1() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with asked() as asking, server:
        kind, cause = await Asked(asking.upstream, to(f"grpc://127.0.0.1:{port}", b"x")).failure()
        assert kind == "connect"
        assert cause.endswith("it speaks HTTP/1 where gRPC needs HTTP/2")


async def test_a_server_that_comes_back_is_found_again() -> None:
    async with asked() as asking:
        async with grpc_predictor() as predictor:
            await reply(asking, to(predictor.url, b"one"))
        kind, _ = await Asked(asking.upstream, to(predictor.url, b"two")).failure()
        assert kind == "connect"
        async with grpc_predictor(address=f"127.0.0.1:{predictor.port}"):
            async with asyncio.timeout(10):
                while True:
                    answer = await Asked(asking.upstream, to(predictor.url, b"three")).answer()
                    if isinstance(answer, Reply):
                        break
            assert answer.document.body == b"three"


async def test_over_tls() -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    key = certificate.private_key_pem.bytes()
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(key, chain)])
    with authority.cert_pem.tempfile() as ca_file:
        async with (
            asked(ca_file=ca_file) as asking,
            grpc_predictor(credentials=credentials, address="localhost:0") as predictor,
        ):
            url = f"grpcs://localhost:{predictor.port}"
            answer = await reply(asking, to(url, b"secret"))
            assert answer.document.body == b"secret"


async def test_a_callers_own_call_goes_on_to_its_method() -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        call = to(predictor.url, b"mine")
        call.forward = Forward(b"POST", b"/inference.GRPCInferenceService/Else")
        answer = await reply(asking, call)
        assert answer.status == 501
        plain = to(predictor.url, b"{}", headers=((b"content-type", b"application/json"),))
        plain.forward = Forward(b"GET", b"/v2")
        kind, cause = await Asked(asking.upstream, plain).failure()
        assert (kind, cause) == (
            "bad_request",
            f"{predictor.url} speaks gRPC, and the request is none",
        )


class Names:
    """A resolver that knows one name: these addresses, in this order."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int) -> list[Address]:
        return [(socket.AF_INET, address, port) for address in self._addresses]

    def stale(self, host: str, port: int) -> bool:
        return False

    def forget(self, host: str, port: int) -> None:
        pass


async def test_the_addresses_of_a_name_share_the_calls() -> None:
    async with (
        asked() as asking,
        grpc_predictor() as one,
        grpc_predictor(address=f"127.0.0.2:{one.port}") as other,
    ):
        asking.upstream._resolver = Names("127.0.0.1", "127.0.0.2")  # type: ignore[assignment]
        for _ in range(40):
            await reply(asking, to(f"grpc://twins:{one.port}", b"x"))
        assert min(len(one.messages), len(other.messages)) > 10


async def test_an_address_that_is_dead_costs_no_call() -> None:
    async with asked() as asking, grpc_predictor() as predictor:
        asking.upstream._resolver = Names("127.0.0.3", "127.0.0.1")  # type: ignore[assignment]
        for _ in range(20):
            await reply(asking, to(f"grpc://twins:{predictor.port}", b"x"))
        assert len(predictor.messages) == 20
