"""How many may listen at once: watches, and logs that are followed.

Each holds a connection for as long as its client likes. They get a part of the connections of the
admin port, so that whoever wants an answer still finds one free.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from controller.store.errors import ApiError


class Streams:
    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises TooManyRequests; clients of Kubernetes try again after a second."""
        if self._open >= self._most:
            message = f"{self._most} watches and followed logs are open; try again later"
            raise ApiError(429, "TooManyRequests", message, {"retryAfterSeconds": 1})
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
