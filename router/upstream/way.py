"""How an origin is asked, whatever it speaks: what `pool` does over HTTP/1.1 and `grpc_pool` over
HTTP/2.
"""

from collections.abc import Callable
from typing import Protocol

from graph.effects import Answer, Call
from router.messages import Cancellable
from router.upstream.origin import Origin


class Way(Protocol):
    """All connections to one origin."""

    origin: Origin

    def ask(self, call: Call, path: bytes, deliver: Callable[[Answer], None]) -> Cancellable:
        """Begin a call. As for every Upstream, the answer comes later, once."""

    @property
    def load(self) -> int:
        """Calls outstanding here."""

    def sweep(self, now: float) -> None:
        """Once a second."""

    def retire(self) -> None:
        """No further calls come; those on their way end as they would."""

    @property
    def empty(self) -> bool:
        """Nothing is left of it."""

    def close(self) -> None: ...
