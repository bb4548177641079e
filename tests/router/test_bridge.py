"""Calls fitted to what their targets speak, and answers to what was asked."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")

from graph.document import Document
from graph.effects import Answer, Call, Failure, FailureKind, Forward, Headers, Reply
from graph.packed import Packed, document_of
from graph.plan import Target
from graph.tensors.convert import Protocol, decode, encode
from graph.tensors.message import HEADERS as GRPC
from graph.tensors.message import Message
from graph.tensors.model import Side
from router.bridge import Bridge
from router.config import EndpointSource, RevisionSource
from router.extensions import Binary
from router.streams import Pipe
from router.upstream.script import Script, ScriptedUpstream, reply

JSON: Headers = ((b"content-type", b"application/json"),)
V1_URL = "http://one/v1/models/m:predict"
V2_URL = "http://two:9000/v2/models/m/infer"
GRPC_URL = "grpc://three/m"
V1_ASKED = b'{"instances":[[1,2]]}'
V1_ANSWER = b'{"predictions":[3]}'
V2_ASKED = b'{"id":"7","inputs":[{"name":"x","shape":[2],"datatype":"UINT8","data":[1,2]}]}'
V2_ANSWER = b'{"model_name":"m","outputs":[{"name":"y","shape":[1],"datatype":"UINT8","data":[3]}]}'
TRITON = reply(b'{"name":"triton","extensions":["classification","binary_tensor_data"]}')
PLAIN_SERVER = reply(b'{"name":"mlserver","version":"1","extensions":[]}')


def message(body: bytes, side: Side) -> Message:
    made, _ = encode(decode(Document(body), Protocol.V2, side), Protocol.GRPC, side)
    assert isinstance(made, Message)
    return made


def binary(body: bytes, side: Side, **parameters: Any) -> tuple[Document, Headers]:
    inference = decode(Document(body), Protocol.V2, side)
    inference.parameters = parameters
    return encode(inference, Protocol.V2, side, lambda name: True)


def call(url: str, document: Document, headers: Headers = JSON, **more: Any) -> Call:
    target = Target(url, None if url.startswith("service:") else url)
    return Call(
        "ns/g/root/0",
        target,
        (*headers, (b"x-propagated", b"1")),
        document.body,
        1.0,
        form=document.form,
        **more,
    )


class Asked:
    """A bridge before a scripted upstream."""

    def __init__(
        self,
        script: Script | Mapping[str, Any],
        endpoints: Mapping[str, EndpointSource] = {},
        settings: Mapping[str, Binary] = {},
    ) -> None:
        loop = asyncio.get_running_loop()
        self.upstream = ScriptedUpstream(script, loop.call_soon)
        self.bridge = Bridge(self.upstream, endpoints.get, settings, 1000, loop)

    async def __call__(self, asked: Call) -> Answer:
        answers: asyncio.Queue[Answer] = asyncio.Queue()
        self.bridge.start(asked, answers.put_nowait)
        assert answers.empty()  # never from within start
        async with asyncio.timeout(5):
            return await answers.get()

    @property
    def sent(self) -> Call:
        return self.upstream.calls[-1].call


def answering(answer: Answer, metadata: Answer = PLAIN_SERVER) -> Script:
    def script(asked: Call) -> Answer:
        return answer if asked.forward is None else metadata

    return script


def values(document: Document, protocol: Protocol, side: Side) -> Any:
    return [
        (each.name, each.datatype, each.shape, each.values())
        for each in decode(document, protocol, side).tensors
    ]


X_REQUEST = [("x", "UINT8", (2,), [1, 2])]
Y_ANSWER = [("y", "UINT8", (1,), [3])]


@pytest.mark.parametrize("url", [V1_URL, V2_URL, "http://other/graphs/ns/g"])
async def test_plain_calls_to_http_pass_untouched(url: str) -> None:
    asked = Asked(answering(reply(b"{}")))
    given = call(url, Document(b"no inference at all"), stream=True)
    await asked(given)
    assert asked.sent is given


async def test_json_goes_to_grpc_and_back() -> None:
    asked = Asked(answering(Reply(200, GRPC, message(V2_ANSWER, Side.ANSWER))))
    answer = await asked(call(GRPC_URL, Document(V2_ASKED), stream=True))
    assert asked.sent.headers == (*GRPC, (b"x-propagated", b"1"))
    assert not asked.sent.stream
    sent = Message(asked.sent.body, Side.REQUEST)
    assert values(sent, Protocol.GRPC, Side.REQUEST) == X_REQUEST
    assert isinstance(answer, Reply)
    assert answer.headers == JSON
    assert json.loads(answer.document.body) == {**json.loads(V2_ANSWER), "id": "7"}


async def test_rows_go_to_grpc_and_back() -> None:
    answer = await (asked := Asked(answering(Reply(200, GRPC, message(V2_ANSWER, Side.ANSWER)))))(
        call(GRPC_URL, Document(V1_ASKED))
    )
    sent = Message(asked.sent.body, Side.REQUEST)
    assert values(sent, Protocol.GRPC, Side.REQUEST) == [("input-0", "INT64", (1, 2), [1, 2])]
    assert isinstance(answer, Reply)
    assert answer.document.body == V1_ANSWER


async def test_binary_tensors_go_to_grpc_and_come_back_as_they_were_asked_for() -> None:
    asked = Asked(answering(Reply(200, GRPC, message(V2_ANSWER, Side.ANSWER))))
    document, headers = binary(V2_ASKED, Side.REQUEST, binary_data_output=True)
    answer = await asked(call(GRPC_URL, document, headers))
    assert isinstance(answer, Reply)
    assert isinstance(answer.document, Packed)
    assert answer.document.body.endswith(b"\3")
    assert values(answer.document, Protocol.V2, Side.ANSWER) == Y_ANSWER
    document, headers = binary(V2_ASKED, Side.REQUEST)
    answer = await asked(call(GRPC_URL, document, headers))
    assert isinstance(answer, Reply)
    assert json.loads(answer.document.body)["outputs"][0]["data"] == [3]


@pytest.mark.parametrize(
    ("url", "answer", "sent"),
    [
        pytest.param(V2_URL, V2_ANSWER, V2_ASKED, id="V2"),
        pytest.param(V1_URL, V1_ANSWER, b'{"instances":[1,2]}', id="V1"),
        pytest.param("http://graph/graphs/ns/g", V2_ANSWER, V2_ASKED, id="who knows"),
    ],
)
async def test_a_message_goes_to_rest_and_back(url: str, answer: bytes, sent: bytes) -> None:
    asked = Asked(answering(reply(answer)))
    got = await asked(call(url, message(V2_ASKED, Side.REQUEST), GRPC))
    assert json.loads(asked.sent.body) == json.loads(sent)
    assert asked.sent.headers == (*JSON, (b"x-propagated", b"1"))
    assert isinstance(got, Reply)
    assert isinstance(got.document, Message)
    assert got.headers == GRPC
    ((_, _, shape, found),) = values(got.document, Protocol.GRPC, Side.ANSWER)
    assert (shape, found) == ((1,), [3])
    assert decode(got.document, Protocol.GRPC, Side.ANSWER).id == "7"


async def test_a_message_to_a_server_with_the_extension_stays_binary() -> None:
    document, headers = binary(V2_ANSWER, Side.ANSWER)
    asked = Asked(answering(Reply(200, headers, document), TRITON))
    got = await asked(call(V2_URL, message(V2_ASKED, Side.REQUEST), GRPC))
    assert isinstance(got, Reply)
    assert values(got.document, Protocol.GRPC, Side.ANSWER) == Y_ANSWER
    sent = document_of(asked.sent.body, asked.sent.headers)
    assert isinstance(sent, Packed)
    assert sent.body.endswith(b"\1\2")
    assert sent.value["parameters"] == {"binary_data_output": True}


async def test_a_message_to_grpc_passes_untouched() -> None:
    asked = Asked(answering(reply(b"")))
    given = call(GRPC_URL, message(V2_ASKED, Side.REQUEST), GRPC)
    await asked(given)
    assert asked.sent is given


async def test_binary_tensors_become_json_where_the_server_lacks_the_extension() -> None:
    asked = Asked(answering(reply(V2_ANSWER)))
    document, headers = binary(V2_ASKED, Side.REQUEST, binary_data_output=True, k=1)
    answer = await asked(call(V2_URL, document, headers))
    sent = json.loads(asked.sent.body)
    assert sent == {**json.loads(V2_ASKED), "parameters": {"k": 1}}
    assert isinstance(answer, Reply)
    assert isinstance(answer.document, Packed)  # what the client asked for
    assert values(answer.document, Protocol.V2, Side.ANSWER) == Y_ANSWER


async def test_a_server_is_asked_once_for_its_extensions() -> None:
    asked = Asked(answering(reply(V2_ANSWER), TRITON))
    document, headers = binary(V2_ASKED, Side.REQUEST)
    given = call(V2_URL, document, headers)
    await asked(given)
    await asked(given)
    questions = [each.call for each in asked.upstream.calls if each.call.forward is not None]
    assert [(each.target.name, each.forward) for each in questions] == [
        ("http://two:9000", Forward(b"GET", b"/v2"))
    ]
    assert asked.sent is given  # as it is


async def test_who_comes_while_the_server_is_asked_waits_for_the_same_answer() -> None:
    asked = Asked(lambda each: None)
    document, headers = binary(V2_ASKED, Side.REQUEST)
    answers: list[Answer] = []
    for _ in range(2):
        asked.bridge.start(call(V2_URL, document, headers), answers.append)
    gone = asked.bridge.start(call(V2_URL, document, headers), answers.append)
    gone.cancel()
    (question,) = asked.upstream.open
    question.answer(TRITON)
    for each in asked.upstream.open:
        each.answer(reply(V2_ANSWER))
    assert len(answers) == 2


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(Failure(FailureKind.CONNECT, "refused"), id="no answer"),
        pytest.param(reply(b"not found", 404), id="another status"),
        pytest.param(reply(b"not JSON"), id="no JSON"),
        pytest.param(reply(b'{"extensions":null}'), id="no list"),
        pytest.param(reply(b"{}"), id="nothing said"),
    ],
)
async def test_a_server_that_does_not_tell_gets_json(metadata: Answer) -> None:
    asked = Asked(answering(reply(V2_ANSWER), metadata))
    document, headers = binary(V2_ASKED, Side.REQUEST)
    await asked(call(V2_URL, document, headers))
    assert json.loads(asked.sent.body) == json.loads(V2_ASKED)


@pytest.mark.parametrize(
    ("settings", "binary_sent"),
    [
        ({"": "always"}, True),
        ({"": "never"}, False),
        ({"": "always", "http://two:9000": "never"}, False),
        ({"": "never", "http://two:9000": "always", "http://two": "never"}, True),
    ],
)
async def test_settings_need_no_question(settings: Mapping[str, Binary], binary_sent: bool) -> None:
    asked = Asked(answering(reply(V2_ANSWER)), settings=settings)
    document, headers = binary(V2_ASKED, Side.REQUEST)
    await asked(call(V2_URL, document, headers))
    assert len(asked.upstream.calls) == 1
    assert (asked.sent.body == document.body) is binary_sent


async def test_a_path_before_that_of_v2_is_asked_below_itself() -> None:
    asked = Asked(answering(reply(V2_ANSWER), TRITON))
    document, headers = binary(V2_ASKED, Side.REQUEST)
    await asked(call("http://two/svc/v2/models/m/versions/1/infer", document, headers))
    question = asked.upstream.calls[0].call
    assert question.target.url == "http://two/svc"


@pytest.mark.parametrize(
    ("source", "protocol"),
    [
        (EndpointSource.of(["http://a:1"], "/v1/models/m:predict"), Protocol.V1),
        (EndpointSource.of(["http://a:1"], "/v2/models/m/infer"), Protocol.V2),
        (EndpointSource.of(["grpc://a:1"], "/m"), Protocol.GRPC),
        (
            EndpointSource("/", (RevisionSource("r", 100, ("http://a",), "/v2/models/m/infer"),)),
            Protocol.V2,
        ),
    ],
)
async def test_services_speak_as_the_endpoint_table_says(
    source: EndpointSource, protocol: Protocol
) -> None:
    answers = {
        Protocol.V1: reply(V1_ANSWER),
        Protocol.V2: reply(V2_ANSWER),
        Protocol.GRPC: Reply(200, GRPC, message(V2_ANSWER, Side.ANSWER)),
    }
    asked = Asked(answering(answers[protocol]), {"service:ns/s": source})
    given = call("service:ns/s", Document(V2_ASKED), adapt=True)
    answer = await asked(given)
    assert isinstance(answer, Reply)
    assert values(answer.document, Protocol.V2, Side.ANSWER)[0][3] == [3]
    assert (asked.sent is given) is (protocol is Protocol.V2)


async def test_a_call_that_may_be_adapted_crosses_between_v1_and_v2() -> None:
    asked = Asked(answering(reply(V2_ANSWER)))
    answer = await asked(call(V2_URL, Document(V1_ASKED), adapt=True))
    assert json.loads(asked.sent.body) == {
        "inputs": [{"name": "input-0", "shape": [1, 2], "datatype": "INT64", "data": [1, 2]}]
    }
    assert isinstance(answer, Reply)
    assert answer.document.body == V1_ANSWER
    asked = Asked(answering(reply(V1_ANSWER)))
    answer = await asked(call(V1_URL, Document(V2_ASKED), adapt=True))
    assert isinstance(answer, Reply)
    assert json.loads(answer.document.body) == {
        "model_name": "",
        "id": "7",
        "outputs": [{"name": "output-0", "shape": [1], "datatype": "INT64", "data": [3]}],
    }


@pytest.mark.parametrize(
    ("url", "body"),
    [(V2_URL, V2_ASKED), (V1_URL, V1_ASKED), (V1_URL, b"{}"), ("http://x/y", V1_ASKED)],
)
async def test_what_fits_already_is_not_adapted(url: str, body: bytes) -> None:
    asked = Asked(answering(reply(b"{}")))
    given = call(url, Document(body), adapt=True, stream=True)
    await asked(given)
    assert asked.sent is given


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Failure(FailureKind.CONNECT, "refused"), id="failure"),
        pytest.param(reply(b'{"error":"no"}', 400), id="an error of the server"),
    ],
)
async def test_what_is_no_answer_comes_back_as_it_is(answer: Answer) -> None:
    asked = Asked(answering(answer))
    assert await asked(call(GRPC_URL, Document(V2_ASKED))) is answer


@pytest.mark.parametrize(
    ("url", "document", "cause"),
    [
        pytest.param(
            GRPC_URL,
            Document(b'{"prompt":"hello"}'),
            "the request cannot be converted for grpc://three/m: this is no inference request",
            id="no inference",
        ),
        pytest.param(
            GRPC_URL,
            Document(V2_ASKED.replace(b"[1,2]", b"[1,300]")),
            "tensor 'x': element 1, 300, is no UINT8",
            id="a value out of range",
        ),
        pytest.param(
            V2_URL, Message(b"\x0a\x05abc", Side.REQUEST), "the message is cut off", id="no message"
        ),
        pytest.param(
            V1_URL, message(b'{"inputs":[]}', Side.REQUEST), "the same first dimension", id="V1"
        ),
    ],
)
async def test_a_request_that_cannot_be_converted_is_a_bad_request(
    url: str, document: Document, cause: str
) -> None:
    asked = Asked(answering(reply(b"{}")))
    headers = GRPC if isinstance(document, Message) else JSON
    answer = await asked(call(url, document, headers))
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.address) == (FailureKind.BAD_REQUEST, "ns/g/root/0")
    assert cause in answer.cause


async def test_an_answer_that_cannot_be_converted_is_an_invalid_answer() -> None:
    asked = Asked(answering(reply(V2_ANSWER.replace(b"[1]", b"[2]"))))
    answer = await asked(call(V2_URL, message(V2_ASKED, Side.REQUEST), GRPC))
    assert answer == Failure(
        FailureKind.INVALID_ANSWER,
        f"the answer cannot be converted for {V2_URL}: tensor 'y': 1 values, but UINT8 of shape "
        "[2] has 2",
        "ns/g/root/0",
    )


@pytest.mark.parametrize(
    ("url", "document", "cause"),
    [
        (GRPC_URL, Document(b"{}"), "the caller speaks HTTP and the step gRPC"),
        (V2_URL, Message(b"", Side.REQUEST), "the caller speaks gRPC and the step HTTP"),
    ],
)
async def test_a_callers_own_request_is_not_converted(
    url: str, document: Document, cause: str
) -> None:
    asked = Asked(answering(reply(b"{}")))
    answer = await asked(call(url, document, forward=Forward(b"POST", b"/x")))
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.BAD_REQUEST
    assert cause in answer.cause


class Uploading:
    """The reading end of a body that is still on its way."""

    def __init__(self, *pieces: bytes, whole: bool = True) -> None:
        self.pieces = list(pieces)
        self.whole = whole
        self.abandoned = False
        self.pipe = Pipe(self, None)

    def hold_back(self) -> None:
        pass

    def go_on(self) -> None:
        while self.pieces:
            self.pipe.data(self.pieces.pop(0))
        if self.whole and not self.abandoned:
            self.pipe.end()

    def abandon(self) -> None:
        self.abandoned = True


async def test_a_request_that_streams_is_gathered_where_it_has_to_be_converted() -> None:
    asked = Asked(answering(reply(V2_ANSWER)))
    document, headers = binary(V2_ASKED, Side.REQUEST, binary_data_output=True)
    body = document.body
    assert isinstance(document, Packed)
    empty = Packed(b"", b"", document.json_length)
    upload = Uploading(body[:50], body[50:])
    answer = await asked(call(V2_URL, empty, headers, upload=upload.pipe, stream=True))
    assert json.loads(asked.sent.body) == json.loads(V2_ASKED)
    assert asked.sent.upload is None
    assert isinstance(answer, Reply)
    assert values(answer.document, Protocol.V2, Side.ANSWER) == Y_ANSWER


async def test_a_request_that_streams_goes_on_as_a_stream_where_it_can() -> None:
    asked = Asked(answering(reply(V2_ANSWER), TRITON))
    upload = Uploading(b"never read")
    given = call(V2_URL, Packed(b"", b"", b"10"), upload=upload.pipe)
    await asked(given)
    assert asked.sent is given
    assert upload.pieces == [b"never read"]


async def test_a_request_that_streams_may_be_too_large_to_be_gathered() -> None:
    asked = Asked(answering(reply(V2_ANSWER)))
    upload = Uploading(b"x" * 600, b"x" * 600)
    answer = await asked(call(GRPC_URL, Document(b""), upload=upload.pipe))
    cause = "the request is larger than 1000 bytes"
    assert answer == Failure(FailureKind.BAD_REQUEST, cause, "ns/g/root/0")
    assert upload.abandoned


async def test_cancelling_cancels_an_upload() -> None:
    asked = Asked(lambda each: None)
    upload = Uploading(whole=False)
    answers: list[Answer] = []
    given = call(GRPC_URL, Document(b""), upload=upload.pipe)
    asked.bridge.start(given, answers.append).cancel()
    assert upload.abandoned
    assert answers == []


async def test_cancelling_cancels_the_call_below() -> None:
    asked = Asked(lambda each: None)
    answers: list[Answer] = []
    running = asked.bridge.start(call(GRPC_URL, Document(V2_ASKED)), answers.append)
    running.cancel()
    running.cancel()
    assert asked.upstream.cancelled == ["ns/g/root/0"]
    assert answers == []


async def test_the_revision_that_answered_is_noted() -> None:
    asked = Asked(lambda each: None)
    answers: list[Answer] = []
    given = call(GRPC_URL, Document(V2_ASKED))
    asked.bridge.start(given, answers.append)
    (open_,) = asked.upstream.open
    open_.call.revision = "r2"
    open_.answer(reply(b"", 503))
    assert given.revision == "r2"
