"""A hundred thousand good and bad requests through one worker: memory and descriptors stay, figures
add up.

Visitors come again and again, each time to do one thing of a table: a burst of pipelined requests
to graphs of all kinds, nonsense, a megabyte, a hang-up at some point, a predictor that fails. Every
answer is compared with what its request must get, and counted; in between the graphs are reloaded.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.manifests import graph, path
from tests.kit.message import Response
from tests.kit.predictor import Predictor
from tests.kit.router import Metrics, Router
from tests.kit.scripts import echo, never, raw, reply, reset

REQUESTS = 100_000
SETTLED = 20_000  # caches are full and pools are warm by then
GROWTH = 0.05
BETWEEN_LOOKS = 1_000
VISITORS = 12
BURST = (10, 60)  # pipelined requests in one write
RELOAD_EVERY = 8_000
LIMIT_BYTES = 2_000_000
MEGABYTE = 1_000_000

Body = Callable[[int], bytes]


def numbered(number: int) -> bytes:
    return b'{"number": %d}' % number


def red(number: int) -> bytes:
    return b'{"colour": "red", "number": %d}' % number


def ensemble(number: int) -> bytes:
    echoed = numbered(number)
    return b'{"one":%b,"two":%b,"soft":{"error": "no"}}' % (echoed, echoed)


def nested(number: int) -> bytes:
    return b'{"0":%b,"1":%b}' % (red(number), red(number))


# Answered at once, with this status and (if it is known) this body: what a burst is made of.
QUICK: dict[str, tuple[Body, int, Body | None]] = {
    "sequence": (numbered, 200, numbered),
    "switch": (red, 200, red),
    "switch without match": (numbered, 404, None),
    "switch of what is no JSON": (lambda number: b"{%d" % number, 404, None),
    "splitter": (numbered, 200, numbered),
    "ensemble": (numbered, 200, ensemble),
    "nested": (red, 200, nested),
    "hard": (numbered, 500, lambda _: b'{"error": "no"}'),
    "garbage": (numbered, 502, None),
    "resetting": (numbered, 502, None),
    "halfway": (numbered, 502, None),
    "refused": (numbered, 502, None),
    "nobody": (numbered, 404, None),  # there is no such graph
}
OFTEN = ("sequence", "switch", "splitter", "ensemble", "nested")


def manifest(predictor: Predictor, edition: int) -> str:
    """The graphs; each edition differs in a step's name, so that all are compiled again."""

    def to(at: str, **more: object) -> dict[str, object]:
        return {"serviceUrl": predictor.url(at), "name": f"e{edition}", **more}

    plain = {"serviceUrl": predictor.url("/echo")}
    nodes = {
        "root": {
            "routerType": "Sequence",
            "steps": [{"nodeName": "pick", "name": f"e{edition}"}, {**plain, "data": "$response"}],
        },
        "pick": {
            "routerType": "Switch",
            "steps": [{"nodeName": "both", "condition": "[@this].#(colour==red)"}],
        },
        "both": {"routerType": "Ensemble", "steps": [plain, plain]},
    }
    return "".join(
        [
            graph("sequence", "Sequence", to("/echo"), {**plain, "data": "$response"}),
            graph("switch", "Switch", to("/echo", condition="[@this].#(colour==red)")),
            graph("splitter", "Splitter", to("/echo", weight=30), {**plain, "weight": 70}),
            graph(
                "ensemble",
                "Ensemble",
                {**plain, "name": "one"},
                {**plain, "name": "two"},
                to("/no", name="soft"),
            ),
            graph("nested", nodes=nodes),
            graph("hard", "Sequence", to("/no", dependency="Hard"), plain),
            graph("garbage", "Sequence", to("/garbage")),
            graph("resetting", "Sequence", to("/reset")),
            graph("halfway", "Sequence", to("/halfway")),
            graph("refused", "Sequence", {"serviceUrl": "http://127.0.0.1:9"}),  # nobody is there
            graph("large", "Sequence", to("/large")),
            graph("never", "Sequence", to("/never")),
            graph("left", "Ensemble", {**plain, "name": "one"}, to("/never", name="two")),
            graph("slow", "Sequence", to("/never"), routerTimeouts={"serviceClient": 1}),
        ]
    )


class Soak:
    def __init__(self, router: Router, editions: list[str]) -> None:
        self.sent = 0  # requests that could be counted, or should never be
        self.answered: Counter[tuple[str, str]] = Counter()  # by graph and code
        self.hung_up = 0  # while the request ran, in an orderly way: 499
        self.vanished = 0  # by a reset, perhaps before anybody read the request
        self._router = router
        self._port = router.port
        self._editions = editions
        self._reload_at = RELOAD_EVERY
        self._random = random.Random(0)

    async def until(self, total: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(VISITORS):
                tasks.create_task(self._visit_until(total))

    async def _visit_until(self, total: int) -> None:
        visits, weights = list(VISITS), list(VISITS.values())
        while self.sent < total:
            if self.sent >= self._reload_at:
                self._reload_at += RELOAD_EVERY
                self._editions.reverse()
                self._router.write(self._editions[0])
            (visit,) = self._random.choices(visits, weights)
            await visit(self)

    def number(self) -> int:
        self.sent += 1
        return self.sent

    def count(self, name: str, response: Response, status: int, body: bytes | None = None) -> None:
        assert response.status == status, (name, response)
        assert body is None or response.body == body, (name, response)
        assert status < 400 or body is not None or b'{"error":' in response.body
        self.answered[f"test/{name}" if name else "", str(status)] += 1

    # what visitors do

    async def burst(self) -> None:
        """Requests in one write, answers in order."""
        count = self._random.randint(*BURST)
        asked: list[tuple[str, int, bytes | None]] = []
        data = b""
        for _ in range(count):
            usual = self._random.random() < 0.9
            what = self._random.choice(OFTEN if usual else list(QUICK))
            make, status, answer = QUICK[what]
            number = self.number()
            name = what.partition(" ")[0]
            headers = {"X-Request-Id": str(number)} if number % 2 else {}
            data += request(path(name), make(number), headers=headers)
            graph_name = "" if name == "nobody" else name
            asked.append((graph_name, status, answer and answer(number)))
        async with Client.to(self._port) as client:
            await client.send(data)
            for name, status, body in asked:
                self.count(name, await client.response(), status, body)

    async def one_by_one(self) -> None:
        async with Client.to(self._port) as client:
            for _ in range(20):
                number = self.number()
                response = await client.ask(request(path("switch"), red(number)))
                self.count("switch", response, 200, red(number))

    async def chunked(self) -> None:
        number = self.number()
        body = red(number)
        head = b"POST /graphs/test/switch HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        async with Client.to(self._port) as client:
            await client.send(head + chunks + b"0\r\n\r\n", cut=self._random.randrange(200))
            self.count("switch", await client.response(), 200, body)

    async def http_1_0(self) -> None:
        number = self.number()
        whole = request(path("switch"), red(number)).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        async with Client.to(self._port) as client:
            self.count("switch", await client.ask(whole), 200, red(number))
            assert await client.closed() == b""

    async def megabyte(self) -> None:
        self.number()
        body = b'"%b"' % (b"x" * MEGABYTE)
        async with Client.to(self._port) as client:
            self.count("sequence", await client.ask(request(path("sequence"), body)), 200, body)

    async def too_large(self) -> None:
        self.number()
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (LIMIT_BYTES + 1)
        async with Client.to(self._port) as client:
            self.count("", await client.ask(head + b"x" * 1000), 413)

    async def nonsense(self) -> None:
        """A good request, and behind it something that is none."""
        number = self.number()
        self.number()
        bad = self._random.choice(NONSENSE)
        async with Client.to(self._port) as client:
            await client.send(request(path("switch"), red(number)) + bad)
            self.count("switch", await client.response(), 200, red(number))
            self.count("", await client.response(), 400)
            assert await client.closed() == b""

    async def half_a_request(self) -> None:
        """Nobody knows what it would have been: it is not counted."""
        whole = request(path("sequence"), numbered(self.number()))
        async with Client.to(self._port) as client:
            await client.send(whole[: self._random.randrange(1, len(whole))])
            self._leave(client)

    async def hang_up(self) -> None:
        """All calls of the request are given up."""
        async with Client.to(self._port) as client:
            await client.send(request(path("left"), numbered(self.number())))
            if self._random.random() < 0.5:
                self.hung_up += 1
                client.half_close()
                assert await client.closed() == b""
            else:
                self.vanished += 1
                self._leave(client)

    async def early_close(self) -> None:
        """Gone with the answer half read. It streams: all of it may have gone out, or not."""
        self.number()
        async with Client.to(self._port) as client:
            await client.send(request(path("large")))
            await client.began()
            self.answered["test/large", "200"] += 1
            self._leave(client)

    async def impatient(self) -> None:
        whole = request(
            path("never"), numbered(self.number()), headers={"X-Graphway-Timeout-Ms": "30"}
        )
        async with Client.to(self._port) as client:
            self.count("never", await client.ask(whole), 504)

    async def timeout(self) -> None:
        async with Client.to(self._port) as client:
            whole = request(path("slow"), numbered(self.number()))
            self.count("slow", await client.ask(whole), 504)

    def _leave(self, client: Client) -> None:
        self._random.choice((Client.reset, Client.abort))(client)


NONSENSE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS hello
    b"POST / HTTP/1.1\nHost: a\n\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: one\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n",
    b"POST / HTTP/1.1\r\nHost : a\r\n\r\n",
)

VISITS: dict[Callable[[Soak], Awaitable[None]], int] = {
    Soak.burst: 80,
    Soak.one_by_one: 20,
    Soak.chunked: 30,
    Soak.http_1_0: 30,
    Soak.megabyte: 10,
    Soak.too_large: 10,
    Soak.nonsense: 30,
    Soak.half_a_request: 30,
    Soak.hang_up: 30,
    Soak.early_close: 10,
    Soak.impatient: 10,
    Soak.timeout: 1,
}


def own_memory_kib(pid: int) -> int:
    """PSS without the pages of files: how those are shared depends on who else runs Python here."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = {line.split()[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
    return sizes["Pss_Anon:"] + sizes["Pss_Shmem:"]


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def counted(metrics: Metrics) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (labels["graph"], labels["code"]): int(value)
            for name, labels, value in metrics.samples
            if name == "graphway_requests_total"
        }
    )


@pytest.mark.slow
async def test_a_hundred_thousand_requests_leave_a_worker_as_it_was(serve: Serve) -> None:
    async with Predictor(remembers=False) as predictor:
        predictor.on("/echo", echo())
        predictor.on("/no", reply(b'{"error": "no"}', status=500))
        predictor.on("/garbage", raw(b"nothing like HTTP\r\n\r\n", close=True))
        predictor.on("/reset", reset())
        predictor.on("/halfway", reset(20))
        predictor.on("/large", reply(b'"%b"' % (b"x" * MEGABYTE)))
        predictor.on("/never", never())
        editions = [manifest(predictor, edition) for edition in range(2)]
        env = {"GRAPHWAY_LIMIT_BODY_BYTES": str(LIMIT_BYTES)}
        async with serve(editions[0], "--workers", "1", env=env) as router:
            (pid,) = router.worker_pids()
            parent = router.process.pid
            at_first = descriptors(pid), descriptors(parent)
            soak = Soak(router, editions)

            async def quiet() -> bool:
                metrics = await router.metrics()
                return metrics.total("graphway_requests_in_flight") == 0

            async def least_memory() -> int:
                """Of ten looks: the allocator keeps a megabyte at one moment and gives it back at
                the next.
                """
                looks = []
                for _ in range(10):
                    await soak.until(soak.sent + BETWEEN_LOOKS)
                    await eventually_awaited(quiet, "nothing is in flight")
                    looks.append(own_memory_kib(pid))
                return min(looks)

            await soak.until(SETTLED)
            settled = await least_memory()
            await soak.until(REQUESTS - 10 * BETWEEN_LOOKS)
            grown = await least_memory() / settled - 1
            await eventually(
                lambda: (descriptors(pid), descriptors(parent)) == at_first,
                "the descriptors of the start",
            )
            metrics = await router.metrics()
            found = counted(metrics)
            lines = found.total() - metrics.total("graphway_log_lines_dropped_total")
            await eventually(lambda: len(router.access_log()) == lines, "a log line for each")
            assert router.worker_pids() == [pid]
            assert predictor.open_connections == 0
        assert grown < GROWTH, f"{settled} KiB grew by {grown:.1%}"
        assert metrics.total("graphway_reloads_total", result="failure") == 0
        assert metrics.total("graphway_reloads_total", result="success") >= 5
        left = found.pop(("test/left", "499"))
        assert soak.hung_up <= left <= soak.hung_up + soak.vanished
        found["test/large", "200"] += found.pop(("test/large", "499"), 0)
        assert found == soak.answered
        assert "Traceback" not in router.text()
