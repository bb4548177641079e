"""What happened to a request, as JSON and in one line: conditions, draws, calls, outcome.

For the answer's X-Graphway-Route, the admin port's /explain, and `graphway explain request`. Bodies
are cut, and what authenticates somebody is left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from graph.effects import Call, Failure, Headers, Reply
from graph.trace import Answered, Checked, Drawn, Partial
from router.messages import Request, Response
from router.streams import Pipe, code_of
from router.traced import Called

Json = dict[str, Any]

MOST_BODY = 4096  # characters of each
MOST_EVENTS = 1000
MOST_RECORD = 64 * 1024  # bytes of events that are kept of a request, whatever asked for it
MOST_ROUTE = 4096  # bytes of the header; nginx takes no longer lines from an upstream by default
SECRET = frozenset(
    (
        *(b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"),
        *(b"api-key", b"x-api-key", b"x-goog-api-key"),
    )
)
HIDDEN = "(hidden)"
_SECRET_PARAMETER = re.compile(
    r"(?i)((?:^|[?&])(?:[a-z]*[_-]?token|api[_-]?key|key|auth|password|secret|sig|signature)=)[^&]+"
)
_MOST_PLACE = 512  # bytes in it of where it failed
_SAFE = "!$%&'*+,-.:=@^_`~"  # of names in the route, which has its own meaning for / > ( ) and ;


def told(events: Iterable[Any], addresses: Mapping[str, str] | None = None) -> Iterator[Json]:
    """Events in order, of the first thousand. `addresses`: URLs of targets that are services."""
    for number, event in enumerate(events):
        if number == MOST_EVENTS:
            yield {"event": "more"}
            return
        match event:
            case Checked():
                yield {
                    "event": "condition",
                    "step": event.address,
                    "condition": event.condition,
                    "matched": event.matched,
                    **({} if event.matched else {"why": event.why}),
                }
            case Drawn():
                yield {
                    "event": "draw",
                    "node": event.address,
                    "step": event.step,
                    "point": round(event.point, 6),
                    "weights": dict(event.weights),
                }
            case Partial():
                without = list(event.without)
                yield {"event": "partial", "node": event.address, "without": without}
            case Answered():
                yield {"event": "answer", "step": event.address, **reply(event.answer)}
            case Called():
                yield {"event": "call", **_called(event, addresses or {})}


def reply(answer: Reply) -> Json:
    return {
        "status": answer.status,
        "headers": headers(answer.headers),
        "body": body(answer.document.body),
    }


def headers(pairs: Headers) -> dict[str, str]:
    return {
        name.decode("latin-1"): HIDDEN if name in SECRET else value.decode("utf-8", "replace")
        for name, value in pairs
    }


def body(data: bytes) -> str:
    """As text, or how much of what else it is."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"({len(data)} bytes, no text)"
    if len(text) <= MOST_BODY:
        return text
    return f"{text[:MOST_BODY]}... ({len(data)} bytes)"


def shown(url: str) -> str:
    """Without what authenticates in its query."""
    return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", url)


def asked(call: Call, addresses: Mapping[str, str]) -> tuple[str, str]:
    """Method and URL."""
    method, url = _asked(call, addresses)
    return method, shown(url)


def _asked(call: Call, addresses: Mapping[str, str]) -> tuple[str, str]:
    target = call.target
    url = target.url or addresses.get(target.name, target.name)
    if url.startswith(("grpc://", "grpcs://")):
        return "gRPC", url
    if call.forward is None:
        return "POST", url
    base, _, query = url.partition("?")
    path, _, further = call.forward.path.decode("latin-1").partition("?")
    both = "&".join(part for part in (query, further) if part)
    url = base.rstrip("/") + path + (f"?{both}" if both else "")
    return call.forward.method.decode("latin-1"), url


def _called(event: Called, addresses: Mapping[str, str]) -> Json:
    call = event.call
    method, url = asked(call, addresses)
    said: Json = {
        "step": call.address,
        "method": method,
        "url": url,
        **({"revision": call.revision} if call.revision else {}),
        "headers": headers(call.headers),
        "body": "(a stream)" if call.upload is not None else body(call.body),
        "started_ms": _ms(event.started_s),
    }
    if event.duration_s is not None:
        said["duration_ms"] = _ms(event.duration_s)
    answer = event.answer
    if isinstance(answer, Failure):
        said["answer"] = {"failure": answer.kind.value, "cause": answer.cause}
    elif answer is not None:
        said["answer"] = reply(answer)
        if event.pipe is not None:
            said["answer"] |= {"body": "(a stream)", "stream": _stream(event, event.pipe)}
    elif event.cancelled:
        said["answer"] = {"failure": "cancelled", "cause": "nobody needed its answer any more"}
    return said


def _stream(event: Called, pipe: Pipe) -> Json:
    if event.ended is None:
        return {"bytes": pipe.passed}
    if isinstance(event.ended, Failure):
        end = {"failure": event.ended.kind.value, "cause": event.ended.cause}
    else:
        end = {"end": event.ended.value}
    return {"bytes": pipe.passed, "ended_ms": _ms(event.ended_s), **end}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


# of a live request

_encode = msgspec.json.Encoder().encode


def record(request: Request, response: Response, began: float, took_s: float, line: str) -> bytes:
    """JSON. `began` in seconds since 1970, `line` is its route."""
    head, plan, trace = request.head, request.plan, request.trace
    assert plan is not None
    assert trace is not None
    query = b"?" + head.query if head.query else b""
    said: Json = {
        "id": request.request_id.decode("latin-1"),
        "at": datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds"),
        "graph": plan.key,
        "revision": plan.revision,
        "request": {
            "method": head.method.decode("latin-1"),
            "path": shown((head.path + query).decode("latin-1")),
            "headers": headers(head.headers),
            "body": body(request.document.body),
        },
        "events": list(_within(told(trace.events), MOST_RECORD)),
        "outcome": {
            "status": response.status,
            "headers": headers(response.headers),
            "body": "(a stream)" if response.stream is not None else body(response.body),
        },
        "took_ms": _ms(took_s),
        "route": line,
    }
    if request.failure is not None:
        failure = request.failure
        said["outcome"] |= {"failure": failure.kind.value, "at": failure.address}
    return _encode(said)


def _within(events: Iterable[Json], room: int) -> Iterator[Json]:
    for event in events:
        room -= len(_encode(event))
        if room < 0:
            yield {"event": "more"}
            return
        yield event


# in one line


def route(events: Iterable[Any], total_s: float, failure: Failure | None = None) -> str:
    """`root>flower flower/a(200;0.1+3.2ms) total(3.5ms)`: nodes with the steps that they chose, and
    calls with status, when they began and how long they took; `failure` is that of the whole.
    Visible ASCII, at most 4 KiB.
    """
    end = f"{_failed(failure)} total({_ms(total_s):g}ms)"
    line, room = "", MOST_ROUTE - len(end) - 4
    for event in events:
        word = _word(event)
        if not word:
            continue
        if len(line) + 1 + len(word) > room:
            line += " ..."
            break
        line += f" {word}" if line else word
    return (line + end).lstrip()


def _failed(failure: Failure | None) -> str:
    if failure is None:
        return ""
    where = "/".join(_quoted(part) for part in failure.address.split("/", 3)[2:])
    return f" failed({failure.kind.value}{f';{where[:_MOST_PLACE]}' if where else ''})"


def _word(event: Any) -> str:
    match event:
        case Checked(matched=False):
            return ""
        case Checked():
            return f"{_node(event.address)}>{_name(event.address, 3)}"
        case Drawn():
            return f"{_name(event.address, 2)}>{_quoted(event.step)}"
        case Answered():
            return f"{_path(event.address)}({event.answer.status})"
        case Called():
            began = f"{_ms(event.started_s):g}"
            return f"{_path(event.call.address)}({_result(event)};{began}+{_took(event)})"
    return ""


def _took(event: Called) -> str:
    if event.duration_s is None:
        return "..."
    took = f"{_ms(event.duration_s):g}ms"
    if event.pipe is None:
        return took
    return f"{took}..." if event.ended is None else f"{took}..{_ms(event.ended_s):g}ms"


def _result(event: Called) -> str:
    if event.answer is None:
        return "cancelled" if event.cancelled else "open"
    if isinstance(event.answer, Failure):
        return event.answer.kind.value
    if event.ended is None:
        return str(event.answer.status)
    return str(code_of(event.answer.status, event.ended))


def _path(address: str) -> str:
    return f"{_node(address)}/{_name(address, 3)}"


def _node(address: str) -> str:
    return _name(address, 2)


def _name(address: str, part: int) -> str:
    """Of namespace/graph/node/step, the parts from 0."""
    return _quoted(address.split("/", 3)[part])


def _quoted(name: str) -> str:
    return quote(name, safe=_SAFE)
