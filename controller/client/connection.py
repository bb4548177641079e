"""One server, asked over HTTP: what goes out, what comes back, and why nothing came.

A connection for each question: they are few, and a client so has no state to share. Refusals are
`ApiError`s, as the server made them; `Unreachable` is everything that is no answer at all. Nothing
here knows kinds or paths.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from controller.store.errors import ApiError

JSON = "application/json"
TIMEOUT_S = 30.0


class Unreachable(Exception):
    """Nobody answers there, or not as this API does."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    warnings: tuple[str, ...]


class Connection:
    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """ValueError for a text that is no URL."""
        given = url if "//" in url else f"http://{url}"
        parts = urlsplit(given)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:  # such a port
            host = None
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no URL of a server; write it as http://127.0.0.1:9902")
        self.url = given.rstrip("/")
        self._tls = parts.scheme == "https"
        self._host, self._port = host, port
        self._below = parts.path.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        media: str = JSON,
        accept: str = JSON,
    ) -> Answer:
        with self._opened(method, path, query, body, media, accept, self._timeout_s) as response:
            with self._told():
                data = response.read()
            said = tuple(map(_warning, response.headers.get_all("Warning", ())))
            return Answer(response.status, self._decoded(data), said)

    @contextmanager
    def lines(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        accept: str = JSON,
        silence_s: float | None = None,
    ) -> Iterator[Iterator[bytes]]:
        """The lines of an answer as they come; nothing for `silence_s` is a fault."""
        with self._opened("GET", path, query, None, JSON, accept, silence_s) as response:
            yield self._lines(response)

    def _lines(self, response: HTTPResponse) -> Iterator[bytes]:
        while True:
            with self._told():
                line = response.readline()
            if not line:
                return
            yield line

    @contextmanager
    def _opened(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        media: str,
        accept: str,
        timeout_s: float | None,
    ) -> Iterator[HTTPResponse]:
        headers = {"Accept": accept, "Connection": "close", "User-Agent": "graphway"}
        headers |= {"Content-Type": media} if body is not None else {}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        target = f"{self._below}{path}?{urlencode(query)}" if query else f"{self._below}{path}"
        connection = self._connection(timeout_s)
        try:
            with self._told():
                connection.request(method, target, body, headers)
                response = connection.getresponse()
            with response:
                if response.status >= 300:
                    with self._told():
                        data = response.read()
                    raise self._refusal(response.status, data)
                yield response
        finally:
            connection.close()

    def _connection(self, timeout_s: float | None) -> HTTPConnection:
        if not self._tls:
            return HTTPConnection(self._host, self._port, timeout=timeout_s)
        context = ssl.create_default_context()
        return HTTPSConnection(self._host, self._port, timeout=timeout_s, context=context)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Around what the network does, and nothing else."""
        try:
            yield
        except (OSError, HTTPException, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unreachable(
                f"no answer from {self.url}: {why}; does graphway run there?"
            ) from error

    def _decoded(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Unreachable(
                f"{self.url} answers, but not as Graphway's admin port does"
            ) from None

    def _refusal(self, code: int, data: bytes) -> Exception:
        said = self._decoded(data)
        if not isinstance(said, dict) or said.get("kind") != "Status":
            return Unreachable(f"{self.url} answers, but not as Graphway's admin port does")
        message, reason = str(said.get("message", "")), str(said.get("reason", ""))
        return ApiError(code, reason, message or f"refused with status {code}", said.get("details"))


def _warning(header: str) -> str:
    """The text of `299 - "text"`."""
    _, _, quoted = header.partition('"')
    return quoted.removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
