"""A scripted OpenAI-compatible server: chat (whole or as events), embeddings, models.

    async with OpenAIServer("large") as server:       # a Predictor: its requests, gates, faults
        client = AsyncOpenAI(base_url=f"{server.origin}/v1", api_key="none")

It says back the last message, a word an event. `server.gate`, if set, holds all words after the
first; `server.key`, if set, is asked for. What it does not understand is an error in OpenAI's
shape. The real client reads all of it, so a wrong field fails there.
"""

import json
from typing import Any

from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import JSON, Gate, render

EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"x-served-by: %b\r\ntransfer-encoding: chunked\r\n\r\n"
)
CREATED = 1_760_000_000


class OpenAIServer(Predictor):
    def __init__(self, *models: str) -> None:
        super().__init__()
        self.models = models
        self.gate: Gate | None = None
        self.key: str | None = None
        self.default = self._answer

    async def _answer(self, exchange: Exchange) -> None:
        asked = exchange.request
        route = asked.method + b" " + asked.path.partition(b"?")[0]
        if self.key and asked.header(b"authorization") != f"Bearer {self.key}".encode():
            self._fail(exchange, 401, "Incorrect API key provided", "invalid_api_key")
        elif route == b"GET /v1/models":
            self._say(exchange, {"object": "list", "data": [_model(name) for name in self.models]})
        elif route.startswith(b"GET /v1/models/"):
            self._model(exchange, route.removeprefix(b"GET /v1/models/").decode())
        elif route in (b"POST /v1/chat/completions", b"POST /v1/embeddings"):
            given = json.loads(asked.body)
            if given["model"] not in self.models:
                self._model(exchange, given["model"])
            elif route.endswith(b"embeddings"):
                self._embed(exchange, given)
            else:
                await self._chat(exchange, given)
        else:
            self._fail(exchange, 404, f"Unknown request: {route.decode()}", "unknown_url")

    def _model(self, exchange: Exchange, name: str) -> None:
        if name in self.models:
            self._say(exchange, _model(name))
        else:
            message = f"The model `{name}` does not exist"
            self._fail(exchange, 404, message, "model_not_found")

    def _embed(self, exchange: Exchange, given: dict[str, Any]) -> None:
        texts = [given["input"]] if isinstance(given["input"], str) else given["input"]
        data = [
            {"object": "embedding", "index": index, "embedding": [float(len(text)), 0.5]}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        self._say(
            exchange, {"object": "list", "model": given["model"], "data": data, "usage": usage}
        )

    async def _chat(self, exchange: Exchange, given: dict[str, Any]) -> None:
        text = given["messages"][-1]["content"]
        words = [word if index == 0 else f" {word}" for index, word in enumerate(text.split(" "))]
        about = {"id": "chatcmpl-1", "created": CREATED, "model": given["model"]}
        if not given.get("stream"):
            choice = {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
            counted = len(words)
            usage = {
                "prompt_tokens": counted,
                "completion_tokens": counted,
                "total_tokens": 2 * counted,
            }
            whole = {"object": "chat.completion", "choices": [choice], "usage": usage}
            self._say(exchange, about | whole)
            return
        exchange.send(EVENTS % self.models[0].encode())
        about["object"] = "chat.completion.chunk"
        for index, word in enumerate(words):
            if index == 1 and self.gate is not None:
                await self.gate.opened()
            delta = {"content": word} if index else {"role": "assistant", "content": word}
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            _event(exchange, json.dumps(about | {"choices": [choice]}))
            await exchange.flushed()
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        _event(exchange, json.dumps(about | {"choices": [choice]}))
        _event(exchange, "[DONE]")
        exchange.send(b"0\r\n\r\n")

    def _say(self, exchange: Exchange, said: dict[str, Any], status: int = 200) -> None:
        headers = (*JSON, (b"x-served-by", self.models[0].encode()))
        exchange.send(render(json.dumps(said).encode(), status, headers))

    def _fail(self, exchange: Exchange, status: int, message: str, code: str) -> None:
        error = {
            "message": message,
            "type": "invalid_request_error",
            "param": None,
            "code": code,
        }
        self._say(exchange, {"error": error}, status)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "tests"}


def _event(exchange: Exchange, data: str) -> None:
    event = f"data: {data}\n\n".encode()
    exchange.send(b"%x\r\n%b\r\n" % (len(event), event))
