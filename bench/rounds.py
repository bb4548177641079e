"""The measurement: in each round every system takes the same load in turn, so that noise hits them
all alike.

A figure is the median of its rounds, and a ratio the median of the ratios within each round, with
the spread.
"""

import statistics
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from bench.cases import PSS_BUDGET_BYTES, Group, Shape
from bench.load import Seen, ask_once, put_load
from bench.machine import CannotMeasure, cpu_seconds, pss_bytes
from bench.systems import System


@dataclass(frozen=True)
class Run:
    seen: Seen
    cpu_us: float  # user and system time of all processes of the proxy, a request


@dataclass
class Memory:
    """PSS while the load of a run is on."""

    worker_bytes: int = 0  # the largest worker
    total_bytes: int = 0  # all processes, the parent too

    def take(self, pids: list[int]) -> None:
        sizes = [pss_bytes(pid) for pid in pids]
        self.worker_bytes = max(self.worker_bytes, *(sizes[1:] or sizes))
        self.total_bytes = max(self.total_bytes, sum(sizes))


@dataclass
class Result:
    """One case of one shape, with the runs of the reference that it is compared with."""

    name: str
    budget: float | None
    nginx: list[Run] = field(default_factory=list)
    graphway: list[Run] = field(default_factory=list)
    direct: list[Run] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.graphway, self.nginx, strict=False)
        return [ours.cpu_us / theirs.cpu_us for ours, theirs in pairs if theirs.cpu_us]

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def verdict(self) -> str:
        if self.faults or self.ratio is None:
            return "FAILED"
        if self.budget is None:
            return ""
        return "ok" if self.ratio <= self.budget else "OVER"

    def plain(self) -> dict[str, object]:
        runs = {name: [asdict(run) for run in getattr(self, name)] for name in SYSTEMS}
        return {
            "case": self.name,
            "budget": self.budget,
            "ratio": self.ratio,
            "ratios": self.ratios,
            "verdict": self.verdict,
            "faults": self.faults,
            "medians": {name: medians(getattr(self, name)) for name in SYSTEMS},
            "runs": runs,
        }


SYSTEMS = ("nginx", "graphway", "direct")


@dataclass
class Measured:
    results: list[Result] = field(default_factory=list)
    memory: dict[str, Memory] = field(default_factory=dict)

    @property
    def memory_verdict(self) -> str:
        ours = self.memory.get("graphway")
        if ours is None:
            return ""
        return "ok" if ours.worker_bytes <= PSS_BUDGET_BYTES else "OVER"

    @property
    def failed(self) -> bool:
        return any(result.verdict == "FAILED" for result in self.results)

    @property
    def over(self) -> bool:
        verdicts = [self.memory_verdict, *(result.verdict for result in self.results)]
        return "OVER" in verdicts


def medians(runs: list[Run]) -> dict[str, float]:
    if not runs:
        return {}
    return {
        "cpu_us": statistics.median(run.cpu_us for run in runs),
        "requests_per_s": statistics.median(
            run.seen.requests / run.seen.duration_s for run in runs
        ),
        "p50_us": statistics.median(run.seen.p50_us for run in runs),
        "p99_us": statistics.median(run.seen.p99_us for run in runs),
    }


def measure(
    systems: Iterable[System],
    groups: tuple[Group, ...],
    rounds: int,
    seconds: int,
    say: Callable[[str], None],
) -> Measured:
    nginx, graphway, direct = systems
    measured = Measured()
    for group in groups:
        results = {s: Result(group.case_name(s), group.budget(s)) for s in group.shapes}
        measured.results.extend(results.values())
        first = group.shapes[0]
        expected = ask_once(direct.port(group.body), direct.path(first, group.body), group.body)
        for shape, result in results.items():
            result.faults += _wrong_answer(graphway, shape, group, expected)
        for number in range(rounds):
            say(f"{group.body.name}, {group.connections} connections: round {number + 1}/{rounds}")
            for system in (nginx, direct):
                run = _run(system, first, group, seconds, measured.memory)
                for result in results.values():
                    getattr(result, system.name).append(run)
                    result.faults += [f"{system.name}: {error}" for error in run.seen.errors]
            for shape, result in results.items():
                run = _run(graphway, shape, group, seconds, measured.memory)
                result.graphway.append(run)
                result.faults += [f"graphway: {error}" for error in run.seen.errors]
    return measured


def _run(
    system: System, shape: Shape, group: Group, seconds: int, memory: dict[str, Memory]
) -> Run:
    port, path = system.port(group.body), system.path(shape, group.body)
    pids = system.pids()
    sampler = threading.Timer(
        seconds / 2, lambda: memory.setdefault(system.name, Memory()).take(pids)
    )
    if group.measures_memory and pids:
        sampler.start()
    before = cpu_seconds(pids)
    seen = put_load(port, path, group.body, group.connections, seconds)
    spent = cpu_seconds(pids) - before
    if system.pids() != pids:
        raise CannotMeasure(f"{system.name} changed its processes during {path}")
    return Run(seen, spent * 1e6 / max(seen.requests, 1))


def _wrong_answer(system: System, shape: Shape, group: Group, expected: bytes) -> list[str]:
    """Faults if one request does not give what the graph should: the predictor's answer, or a
    merge of it.
    """
    answer = ask_once(system.port(group.body), system.path(shape, group.body), group.body)
    if shape.kind == "Ensemble":
        members = b",".join(b'"step-%d":' % index + expected for index in range(shape.steps))
        expected = b"{" + members + b"}"
    if answer.translate(None, b" \n") != expected.translate(None, b" \n"):
        return [f"wrong answer: {answer[:100]!r} instead of {expected[:100]!r}"]
    return []
