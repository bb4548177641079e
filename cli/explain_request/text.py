"""The record of a walk, for people: node by node, what was tested, drawn, sent and answered."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = dict[str, Any]


class Words(NamedTuple):
    text: str
    style: str = ""  # for terminals

    @property
    def printable(self) -> str:
        """On its line: a body must not move the cursor."""
        return "".join(char if char.isprintable() else " " for char in self.text)


YES, NO, DIM, HEAD = "green", "red", "bright_black", "bold"


def lines(record: Json, kinds: Mapping[str, str]) -> Iterator[list[Words]]:
    """`kinds`: the kind of each node by its address."""
    prefix = f"{record['graph']}/"
    heading = f"{record['graph']}, revision {record['revision']}, seed {record['seed']}"
    yield [Words(heading, HEAD)]
    request = record["request"]
    yield [Words(f"{request['method']} {request['path']}")]
    yield from _content(request, "")
    node = ""
    for event in record["events"]:
        here = _node(event)
        if here and here != node:
            node = here
            yield []
            kind = kinds.get(node, "")
            yield [Words(node.removeprefix(prefix), HEAD), Words(f"  {kind}", DIM)]
        yield from _event(event)
    yield []
    yield from _outcome(record["outcome"], prefix)
    yield [Words(record["route"], DIM)]


def _node(event: Json) -> str:
    if "node" in event:
        return str(event["node"])
    return str(event.get("step", "")).rpartition("/")[0]


def _event(event: Json) -> Iterator[list[Words]]:
    match event["event"]:
        case "condition":
            name = _name(event["step"])
            verdict = Words("  yes  ", YES) if event["matched"] else Words("  no   ", NO)
            why = [Words(f"  {event['why']}", DIM)] if not event["matched"] else []
            yield [verdict, Words(name), Words(f"  if {event['condition']}"), *why]
        case "draw":
            total = sum(event["weights"].values())
            yield [
                Words("  draw ", YES),
                Words(event["step"]),
                Words(f"  {event['point'] * total:.2f} of {total}: ", DIM),
                Words(", ".join(f"{name} {w}" for name, w in event["weights"].items()), DIM),
            ]
        case "call":
            yield [
                Words("  call ", YES),
                Words(f"{_name(event['step'])}  {event['method']} {event['url']}"),
                *([Words(f"  at {event['started_ms']:g} ms", DIM)] if event["started_ms"] else []),
            ]
            yield from _content(event, "       ")
            yield from _answer(event)
        case "answer":
            yield [
                Words("  made ", YES),
                Words(f"{_name(event['step'])}  {event['status']} {event['body']}"),
            ]
        case "partial":
            yield [Words("  part ", NO), Words(f"without {', '.join(event['without'])}")]
        case "more":
            yield [Words("  and more", DIM)]


def _answer(event: Json) -> Iterator[list[Words]]:
    answer = event.get("answer")
    if answer is None:
        return
    took = f" after {event['duration_ms']:g} ms" if event["duration_ms"] else ""
    assumed = "  assumed: no answer is given for it" if event.get("assumed") else ""
    if "failure" in answer:
        yield [
            Words("  fails", NO),
            Words(f" {answer['failure']}: {answer['cause']}"),
            Words(took, DIM),
        ]
        return
    good = 200 <= answer["status"] <= 299
    yield [
        Words("  gets ", YES if good else NO),
        Words(f"{answer['status']} {answer['body']}"),
        Words(took + assumed, DIM),
    ]


def _outcome(outcome: Json, prefix: str) -> Iterator[list[Words]]:
    good = 200 <= outcome["status"] <= 299
    yield [Words(f"{outcome['status']} ", YES if good else NO), Words(outcome["body"])]
    if "failure" in outcome:
        at = f" at {outcome['at'].removeprefix(prefix)}" if outcome["at"] else ""
        yield [Words(f"{outcome['failure']}{at}", DIM)]


def _content(said: Json, indent: str) -> Iterator[list[Words]]:
    for name, value in said["headers"].items():
        yield [Words(f"{indent}{name}: {value}", DIM)]
    if said["body"]:
        yield from ([Words(f"{indent}{line}")] for line in said["body"].splitlines())


def _name(address: str) -> str:
    return address.rpartition("/")[2]
