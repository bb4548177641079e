"""An upstream for tests: calls as lists of answers, figures as a scrape would show them."""

import asyncio
from collections.abc import Sequence

from graph.effects import Answer, Call, Failure, Forward, Reply
from graph.plan import Target
from router.config import DataPlaneConfig, EndpointSource, RevisionSource, UpstreamConfig
from router.counters import Block, Counters, Labels, Ledger
from router.deadlines import Deadlines
from router.messages import Cancellable
from router.upstream.http import HttpUpstream
from tests.kit.eventually import eventually

SERVICE = Target("service:ns/iris", None)


def table(
    *revisions: tuple[str, int, Sequence[str]], hold: bool = False, key: str = "ns/iris"
) -> dict[str, EndpointSource]:
    """One service: its revisions as (name, percent, addresses)."""
    sources = tuple(RevisionSource(name, share, tuple(at)) for name, share, at in revisions)
    return {key: EndpointSource("/p", sources, hold)}


class Asked:
    """One call, and its answers as they come."""

    def __init__(self, upstream: HttpUpstream, call: Call) -> None:
        self.call = call
        self.answers: list[Answer] = []
        self.running: Cancellable = upstream.start(call, self.answers.append)
        assert not self.answers, "an answer comes later, never from within start"

    async def answer(self) -> Answer:
        await eventually(lambda: self.answers, "an answer")
        assert len(self.answers) == 1
        return self.answers[0]

    async def status(self) -> int:
        answer = await self.answer()
        assert isinstance(answer, Reply), answer
        return answer.status

    async def failure(self) -> tuple[str, str]:
        """Its kind and cause."""
        answer = await self.answer()
        assert isinstance(answer, Failure), answer
        assert answer.address == "ns/g/root/0"
        return answer.kind.value, answer.cause


class Asking:
    def __init__(self, config: DataPlaneConfig | None = None, **upstream: object) -> None:
        loop = asyncio.get_running_loop()
        self.deadlines = Deadlines(loop)
        self.ledger = Ledger()
        block = Block.create(256 * 1024)
        self.ledger.open(1, block)
        if config is None:
            config = DataPlaneConfig(upstream=UpstreamConfig(**upstream))  # type: ignore[arg-type]
        self.waiting: list[str] = []  # services that said so
        self.upstream = HttpUpstream(
            config, Counters(block), self.deadlines, loop, self.waiting.append
        )

    def start(
        self, target: Target = SERVICE, seed: int = 0, forward: Forward | None = None
    ) -> Asked:
        headers = ((b"x-a", b"b"),)
        call = Call("ns/g/root/0", target, headers, b"{}", None, seed, forward)
        return Asked(self.upstream, call)

    async def ask(self, target: Target = SERVICE) -> Answer:
        return await self.start(target).answer()

    def install(self, services: dict[str, EndpointSource], *targets: Target) -> None:
        self.upstream.install(targets or (SERVICE,), services)

    def figures(self, name: str) -> dict[Labels, int]:
        """By the values of their labels; those that are 0 left out."""
        found = self.ledger.named(name)
        return {tuple(sorted(labels)): value for labels, value in found.items() if value}

    def close(self) -> None:
        self.upstream.close()
        self.deadlines.close()
