"""`Client.predict`: which path a body goes to, and what comes back."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from controller.store.refs import Json
from controller.store.store import Store
from graphway import Client, InferenceService, NotReady, PredictFailed, Unreachable
from tests.kit.api_server import ApiServer, ref
from tests.sdk.conftest import flowers, iris

V1, V2 = {"instances": [[1.0]]}, {"inputs": []}


class Server(HTTPServer):
    """Answers each request with where it went, or as it is told."""

    answer: tuple[int, bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = b'{"path": "%s", "body": %s}' % (self.path.encode(), body)
        status, answer = self.server.answer or (200, told)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests look at what came back."""


@pytest.fixture
def model() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(tmp_path: Path, model: Server) -> Iterator[Client]:
    def ready(store: Store) -> None:
        for word, name, path in (("isvc", "iris", ""), ("ig", "flowers", "/graphs/default/x")):
            status = {"url": f"{model.url}{path}"}
            store.replace_status(ref(word, name), status)

    with ApiServer(tmp_path).running() as server:
        client = Client(server.url)
        client.apply(iris())
        client.apply(flowers())
        server.act(ready)
        yield client


PATHS: list[tuple[str, Any, Json, str]] = [
    ("a service by V1", iris(), V1, "/v1/models/iris:predict"),
    ("a service by V2", iris(), V2, "/v2/models/iris/infer"),
    ("a graph", flowers(), V1, "/graphs/default/x"),
    ("a graph, whatever the body", flowers(), {"text": "x"}, "/graphs/default/x"),
]


@pytest.mark.parametrize(
    ("resource", "body", "path"), [p[1:] for p in PATHS], ids=[p[0] for p in PATHS]
)
def test_where_a_body_goes(client: Client, resource: Any, body: Json, path: str) -> None:
    assert client.predict(resource, body) == {"path": path, "body": body}


def test_a_body_of_no_protocol_is_no_question_for_a_service(client: Client) -> None:
    with pytest.raises(ValueError, match=r"`instances` \(V1 protocol\) or `inputs` \(V2\)"):
        client.predict(iris(), {"text": "x"})


def test_a_refusal_is_told_with_its_body(client: Client, model: Server) -> None:
    model.answer = (503, b'{"error": "busy"}')
    with pytest.raises(PredictFailed, match=r'answered 503: \{"error": "busy"\}') as raised:
        client.predict(flowers(), V1)
    assert (raised.value.status, raised.value.body) == (503, b'{"error": "busy"}')


def test_what_is_no_json_is_no_answer(client: Client, model: Server) -> None:
    model.answer = (200, b"hello")
    with pytest.raises(Unreachable, match="answered what is no JSON"):
        client.predict(flowers(), V1)


def test_what_has_no_url_yet_is_not_ready(client: Client) -> None:
    rose = iris().model_copy(update={"metadata": iris().metadata.model_copy(update={"name": "r"})})
    assert isinstance(client.apply(rose), InferenceService)
    with pytest.raises(NotReady, match="InferenceService r is not ready"):
        client.predict(rose, V1)
