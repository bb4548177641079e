"""An Upstream without a network: answers by script, and remembers every call.

For tests of graphs, ours and their authors', and for dry runs. It keeps the whole promise of
`router.execute.Upstream`: an answer comes once, later, and never after a cancellation. When it
comes is the caller's choice: call by call in any order, all at once, or by itself through `soon`
(such as a loop's `call_soon`). It knows no sockets, clocks or event loops.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from graph.document import Document
from graph.effects import Answer, Call, Failure, FailureKind, Headers, Reply

JSON: Headers = ((b"content-type", b"application/json"),)

Script = Callable[[Call], Answer | None]
"""What to answer to a call; None leaves it open until `ScriptedCall.answer` is called."""


class State(Enum):
    OPEN = "open"
    ANSWERED = "answered"
    CANCELLED = "cancelled"


class ScriptedCall:
    """One call that was started, and what has become of it."""

    __slots__ = ("_deliver", "_scripted", "call", "state")

    def __init__(
        self, call: Call, scripted: Answer | None, deliver: Callable[[Answer], None]
    ) -> None:
        self.call = call
        self.state = State.OPEN
        self._scripted = scripted
        self._deliver: Callable[[Answer], None] | None = deliver

    @property
    def held(self) -> bool:
        """Open, and the script has no answer for it."""
        return self.state is State.OPEN and self._scripted is None

    def answer(self, answer: Answer | None = None) -> None:
        """Deliver this answer, or else the scripted one. Too late, it is lost, as on a network."""
        deliver = self._deliver
        if deliver is None:
            return
        chosen = self._scripted if answer is None else answer
        if chosen is None:
            raise LookupError(f"nothing is scripted for {self.call.address}: give an answer")
        self._end(State.ANSWERED)
        deliver(chosen)

    def cancel(self) -> None:
        if self.state is State.OPEN:
            self._end(State.CANCELLED)

    def _end(self, state: State) -> None:
        self.state = state
        self._deliver = None  # it leads back to whoever holds this call


class ScriptedUpstream:
    """Answers by `script`: a function of the call, or answers by address of the step (as in
    `ns/graph/node/step`).

    A sequence of answers is given out one a call, the last one for ever. A step without a script
    fails as unresolved, as an unknown service does.
    """

    def __init__(
        self,
        script: Script | Mapping[str, Answer | Sequence[Answer]],
        soon: Callable[[Callable[[], None]], Any] | None = None,
    ) -> None:
        self._script = script if callable(script) else _by_address(script)
        self._soon = soon
        self.calls: list[ScriptedCall] = []  # in the order in which they were started

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> ScriptedCall:
        started = ScriptedCall(call, self._script(call), deliver)
        self.calls.append(started)
        if self._soon is not None and not started.held:
            self._soon(started.answer)
        return started

    @property
    def open(self) -> list[ScriptedCall]:
        """The calls that wait for an answer, oldest first."""
        return [call for call in self.calls if call.state is State.OPEN]

    @property
    def cancelled(self) -> list[str]:
        """The steps whose calls were cancelled."""
        return [call.call.address for call in self.calls if call.state is State.CANCELLED]

    def answer_all(self, pick: Callable[[int], int] = lambda _: 0) -> None:
        """Answer open calls until only held ones are left. `pick(n)` says which of n is next; the
        oldest, if not told otherwise.
        """
        while ready := [call for call in self.open if not call.held]:
            ready[pick(len(ready))].answer()


def reply(body: bytes = b"{}", status: int = 200, headers: Headers = JSON) -> Reply:
    """An answer of a predictor, in short."""
    return Reply(status, headers, Document(body))


def _by_address(answers: Mapping[str, Answer | Sequence[Answer]]) -> Script:
    given = {
        address: [answer] if isinstance(answer, Reply | Failure) else list(answer)
        for address, answer in answers.items()
    }

    def script(call: Call) -> Answer:
        left = given.get(call.address)
        if not left:
            cause = f"nothing is scripted for {call.address}"
            return Failure(FailureKind.UNRESOLVED, cause, call.address)
        return left.pop(0) if len(left) > 1 else left[0]

    return script
