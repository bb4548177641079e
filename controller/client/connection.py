"""One server of the resource API: bytes out, JSON back, and its refusals as what they are.

Refusals are `ApiError`s as the server made them; whoever answers otherwise is no such server, and
`Unreachable`. Nothing here knows kinds or paths.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from controller.client.origin import Origin, Unreachable
from controller.store.errors import ApiError

JSON = "application/json"
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    warnings: tuple[str, ...]


class Connection:
    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """ValueError for a text that is no URL."""
        self._origin = Origin(url)
        self._token = token
        self._timeout_s = timeout_s

    @property
    def url(self) -> str:
        return self._origin.url

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
        headers = {"Accept": accept} | ({"Content-Type": media} if body is not None else {})
        with self._opened(method, path, query, body, headers, self._timeout_s) as response:
            with self._origin.network():
                data = response.read()
            said = tuple(map(read_warning, response.headers.get_all("Warning", ())))
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
        headers = {"Accept": accept}
        with self._opened("GET", path, query, None, headers, silence_s) as response:
            yield self._lines(response)

    def _lines(self, response: HTTPResponse) -> Iterator[bytes]:
        while True:
            with self._origin.network():
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
        headers: Mapping[str, str],
        timeout_s: float | None,
    ) -> Iterator[HTTPResponse]:
        token = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        asked = self._origin.opened(method, path, query, body, {**headers, **token}, timeout_s)
        with asked as response:
            if response.status >= 300:
                with self._origin.network():
                    data = response.read()
                raise self._refusal(response.status, data)
            yield response

    def _decoded(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise self._stranger() from None

    def _refusal(self, code: int, data: bytes) -> Exception:
        said = self._decoded(data)
        if not isinstance(said, dict) or said.get("kind") != "Status":
            return self._stranger()
        message, reason = str(said.get("message", "")), str(said.get("reason", ""))
        return ApiError(code, reason, message or f"refused with status {code}", said.get("details"))

    def _stranger(self) -> Unreachable:
        message = "but not as the admin port of `graphway up` does; is it another port of it?"
        return Unreachable(f"{self.url} answers, {message}")


def read_warning(header: str) -> str:
    """The text of `299 - "text"`."""
    _, _, quoted = header.partition('"')
    return quoted.removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
