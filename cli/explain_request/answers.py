"""What predictors would say: answers.yaml -> a script.

    clean: {body: {predictions: [[1, 2]]}}          # a step, by name
    digit/read:                                     # by node and name, or by its whole address
      - {status: 503, body: busy, after: 0.2}       # the first call, 0.2 s later
      - {error: timeout}                            # each further one

A step that is not named answers 200 with {}, and says that it was assumed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from graph.effects import Answer, Call, Failure, FailureKind, Headers, Reply
from graph.loader.documents import read
from graph.packed import document_of
from graph.plan import Plan, PlanNode
from graph.wording import Speller, shown
from router.dry_run import Scripted

JSON: Headers = ((b"content-type", b"application/json"),)
ASSUMED = Scripted(Reply(200, JSON, document_of(b"{}", JSON)))
Error = Literal["connect", "timeout", "reset", "protocol", "unresolved", "overload"]


class BadAnswers(Exception):
    """`lines` say what is wrong, each with its place."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    status: Annotated[int, Field(ge=200, le=599)] = 200
    headers: dict[str, str] = {}
    body: Any = {}
    error: Error | None = None
    cause: str = "as the answers say"
    after: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    def scripted(self, address: str) -> Scripted:
        return Scripted(self._answer(address), self.after)

    def _answer(self, address: str) -> Answer:
        if self.error is not None:
            return Failure(FailureKind(self.error), self.cause, address)
        headers = tuple((n.lower().encode(), v.encode()) for n, v in self.headers.items())
        if all(name != b"content-type" for name, _ in headers):
            headers = (*JSON, *headers)
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return Reply(self.status, headers, document_of(body.encode(), headers))


_ANSWER: TypeAdapter[_Given] = TypeAdapter(_Given)


class Answers:
    """The script. `assumed` are the steps that were called and had no answer."""

    def __init__(self, by_address: Mapping[str, list[Scripted]]) -> None:
        self._left = {address: list(answers) for address, answers in by_address.items()}
        self.assumed: set[str] = set()

    def __contains__(self, address: str) -> bool:
        return address in self._left

    def __call__(self, call: Call) -> Scripted:
        left = self._left.get(call.address)
        if not left:
            self.assumed.add(call.address)
            return ASSUMED
        return left.pop(0) if len(left) > 1 else left[0]


def answers(text: bytes, file: str, plan: Plan, inner: Iterable[Plan] = ()) -> Answers:
    """Steps of `inner` graphs go by their whole address. Raises BadAnswers with everything that is
    wrong.
    """
    documents, problems = read(text, file)
    lines = [str(problem) for problem in problems]
    found: dict[str, list[Scripted]] = {}
    steps = _steps(plan)
    for other in inner:
        for addresses in _steps(other).values():
            steps.update({address: [address] for address in addresses})
    for value, place in documents:
        if value is None:
            continue
        if not isinstance(value, dict):
            lines.append(f"{file}:1:1: error answers: a mapping is needed, from steps to answers")
            continue
        for name, given in value.items():
            where = ":".join(map(str, (file, *place.find((name,)))))
            address = _address(name, steps, plan)
            if isinstance(address, list):
                lines.extend(f"{where}: error answers: {fault}" for fault in address)
                continue
            for index, one in enumerate(given if isinstance(given, list) else [given]):
                try:
                    scripted = _ANSWER.validate_python(one).scripted(address)
                except ValidationError as error:
                    path = (name, index) if isinstance(given, list) else (name,)
                    for fault in error.errors():
                        at = place.find((*path, *fault["loc"]))
                        what = ".".join(map(str, (name, *fault["loc"])))
                        lines.append(
                            f"{':'.join(map(str, (file, *at)))}: error answers:"
                            f" {what}: {fault['msg'].lower()}"
                        )
                else:
                    found.setdefault(address, []).append(scripted)
    if lines:
        raise BadAnswers(lines)
    return Answers(found)


def _address(name: str, steps: Mapping[str, list[str]], plan: Plan) -> str | list[str]:
    """The step that a name means, or what is wrong with it."""
    meant = steps.get(name, [])
    if len(meant) == 1:
        return meant[0]
    prefix = f"{plan.key}/"
    if meant:
        listed = ", ".join(address.removeprefix(prefix) for address in meant)
        return [f"{shown(name)} is a step of several nodes; name one of {listed}"]
    mend = Speller(steps).hint(name) or f"; there are {', '.join(sorted(_short(steps, prefix)))}"
    return [f"no step that calls somebody is called {shown(name)}{mend}"]


def _short(steps: Mapping[str, list[str]], prefix: str) -> set[str]:
    return {address.removeprefix(prefix) for found in steps.values() for address in found}


def _steps(plan: Plan) -> dict[str, list[str]]:
    """The steps that call somebody, by each of their names."""
    found: dict[str, list[str]] = {}
    for node in nodes(plan):
        for step in node.steps:
            if step.target is not None:
                short = step.address.removeprefix(f"{plan.key}/")
                for name in dict.fromkeys((step.key, short, step.address)):
                    found.setdefault(name, []).append(step.address)
    return found


def nodes(plan: Plan) -> Iterator[PlanNode]:
    """Each once, parents before children."""
    seen: dict[str, PlanNode] = {plan.root.address: plan.root}
    waiting = [plan.root]
    while waiting:
        node = waiting.pop()
        yield node
        for step in reversed(node.steps):
            if step.node is not None and step.node.address not in seen:
                seen[step.node.address] = step.node
                waiting.append(step.node)
