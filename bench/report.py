"""What was measured, as a table for people and as JSON for programs."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.cases import PSS_BUDGET_BYTES
from bench.rounds import SYSTEMS, Measured, Result, medians

STYLE = {"ok": "green", "OVER": "bold red", "FAILED": "bold red", "": ""}
MEBIBYTE = 1024 * 1024


def print_table(measured: Measured, console: Console) -> None:
    table = Table(title="CPU per request of the proxy; requests/s and latency as clients see them")
    table.add_column("case", no_wrap=True)
    for title in ("CPU us", "nginx", "ratio", "spread", "budget", ""):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("req/s", "nginx", "direct", "p50 us", "nginx", "p99 us", "nginx"):
        table.add_column(title, justify="right", no_wrap=True)
    for result in measured.results:
        table.add_row(*_row(result), style=STYLE[result.verdict])
    console.print(table)
    for name, memory in sorted(measured.memory.items()):
        console.print(
            f"PSS at 256 connections, {name}: {memory.worker_bytes / MEBIBYTE:.1f} MiB a worker, "
            f"{memory.total_bytes / MEBIBYTE:.1f} MiB in all"
        )
    if measured.memory_verdict:
        verdict = measured.memory_verdict
        budget = f"{PSS_BUDGET_BYTES / MEBIBYTE:.0f} MiB PSS a worker"
        console.print(f"[{STYLE[verdict]}]budget of {budget}: {verdict}[/]")
    for result in measured.results:
        for fault in sorted(set(result.faults)):
            console.print(f"[bold red]FAILED {result.name}: {fault}[/]")


def _row(result: Result) -> list[str]:
    nginx, ours, direct = (medians(getattr(result, name)) for name in SYSTEMS)
    spread = f"{min(result.ratios):.2f}-{max(result.ratios):.2f}" if result.ratios else "-"
    return [
        result.name,
        f"{ours['cpu_us']:,.1f}",
        f"{nginx['cpu_us']:,.1f}",
        "-" if result.ratio is None else f"{result.ratio:.2f}",
        spread,
        "" if result.budget is None else f"{result.budget:.1f}",
        result.verdict,
        f"{ours['requests_per_s']:,.0f}",
        f"{nginx['requests_per_s']:,.0f}",
        f"{direct['requests_per_s']:,.0f}",
        f"{ours['p50_us']:,.0f}",
        f"{nginx['p50_us']:,.0f}",
        f"{ours['p99_us']:,.0f}",
        f"{nginx['p99_us']:,.0f}",
    ]


def write_json(measured: Measured, conditions: dict[str, object], path: Path) -> None:
    memory = {
        name: {"worker_bytes": memory.worker_bytes, "total_bytes": memory.total_bytes}
        for name, memory in measured.memory.items()
    }
    document = {
        "conditions": conditions,
        "cases": [result.plain() for result in measured.results],
        "memory_at_256_connections": memory,
        "memory_budget_bytes": PSS_BUDGET_BYTES,
        "memory_verdict": measured.memory_verdict,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
