"""Where a server is, and one exchange of HTTP with it; a connection for each.

Questions are few, and a client so has no state that threads could share. `Unreachable` is
everything that is no answer; what an answer means is decided elsewhere.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlencode, urlsplit


class Unreachable(Exception):
    """Nobody answers there, or not in the way that was expected."""


class Origin:
    def __init__(self, url: str) -> None:
        """ValueError for a text that is no URL."""
        given = url if "//" in url else f"http://{url}"
        parts = urlsplit(given)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:  # such a port
            host = port = None
        if parts.username is not None:  # it would be told with each fault
            raise ValueError("a URL with a password is not taken; GRAPHWAY_ADMIN_TOKEN is for it")
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no URL of a server; write it as http://127.0.0.1:9902")
        self.url = given.rstrip("/")
        self._tls = parts.scheme == "https"
        self._host, self._port = host, port
        self._below = parts.path.rstrip("/")

    @contextmanager
    def opened(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout_s: float | None,
    ) -> Iterator[HTTPResponse]:
        """The answer, whatever its status; its body is yet to be read."""
        target = f"{self._below}{path}" or "/"
        target += f"?{urlencode(query)}" if query else ""
        connection = self._connection(timeout_s)
        try:
            with self.network():
                connection.request(
                    method,
                    target,
                    body,
                    {"Connection": "close", "User-Agent": "graphway", **headers},
                )
                response = connection.getresponse()
            with response:
                yield response
        finally:
            connection.close()

    @contextmanager
    def network(self) -> Iterator[None]:
        """Around what the network does, and nothing else."""
        try:
            yield
        except (OSError, HTTPException, UnicodeError) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            why = " ".join(said.split())  # some quote what they were sent, line ends and all
            raise Unreachable(f"no answer from {self.url}: {why}; does it run?") from error

    def _connection(self, timeout_s: float | None) -> HTTPConnection:
        if not self._tls:
            return HTTPConnection(self._host, self._port, timeout=timeout_s)
        context = ssl.create_default_context()
        return HTTPSConnection(self._host, self._port, timeout=timeout_s, context=context)
