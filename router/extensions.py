"""Which servers know V2's binary tensor extension: by setting, else by asking each once.

GET /v2 lists a server's extensions. What it says is remembered for a while; a server that does not
answer is taken to lack it, for this call only. Whoever asks meanwhile waits for the same answer.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from graph.effects import Answer, Call, Forward, Reply
from graph.plan import Target
from router.execute import Upstream
from router.speech import Speech, where_to_ask

BINARY: Final = "binary_tensor_data"
REMEMBERED_S: Final = 300.0
PATIENCE_S: Final = 5.0
_ACCEPT: Final = ((b"accept", b"application/json"),)

Binary = Literal["auto", "always", "never"]
Told = Callable[[bool], None]


class _Metadata(msgspec.Struct):
    extensions: list[str] = []


_metadata = msgspec.json.Decoder(_Metadata)


class Extensions:
    def __init__(
        self, upstream: Upstream, settings: Mapping[str, Binary], clock: Callable[[], float]
    ) -> None:
        """The settings by origin or service; "" is everybody else."""
        self._upstream = upstream
        self._settings = settings
        self._clock = clock
        self._known: dict[str, tuple[bool, float]] = {}  # until when
        self._asked: dict[str, list[Told]] = {}

    def ask(self, call: Call, speech: Speech, told: Told) -> bool | None:
        """Whether the target of this call knows the extension; None if `told` will hear of it
        later.
        """
        target, path = where_to_ask(call.target, speech)
        settled = self._set(target)
        if settled is not None:
            return settled
        known = self._known.get(target.name)
        if known is not None and self._clock() < known[1]:
            return known[0]
        waiting = self._asked.get(target.name)
        if waiting is not None:
            waiting.append(told)
            return None
        self._asked[target.name] = [told]
        question = Call(
            call.address, target, _ACCEPT, b"", PATIENCE_S, call.seed, Forward(b"GET", path)
        )
        self._upstream.start(question, lambda answer: self._answered(target.name, answer))
        return None

    def _set(self, target: Target) -> bool | None:
        """What the settings say."""
        name = target.name
        if name.startswith("service:"):
            name = name.removeprefix("service:")
        elif name not in self._settings:
            name = "/".join(name.split("/", 3)[:3])  # a path stands before V2's
        said = self._settings.get(name) or self._settings.get("", "auto")
        return None if said == "auto" else said == "always"

    def _answered(self, name: str, answer: Answer) -> None:
        knows = False
        if isinstance(answer, Reply):
            knows = answer.ok and _lists_it(answer.document.json)
            self._known[name] = (knows, self._clock() + REMEMBERED_S)
        for told in self._asked.pop(name):
            told(knows)


def _lists_it(metadata: bytes) -> bool:
    try:
        return BINARY in _metadata.decode(metadata).extensions
    except (msgspec.DecodeError, RecursionError):
        return False
