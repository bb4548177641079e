"""The command line of the benchmark: `python -m bench --help`.

Exit codes: 0 measured; 1 a run had errors, or, with --check, a case is over its budget; 2 nothing
could be measured.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from rich.console import Console

from bench.cases import GROUPS, QUICK_GROUPS, SHAPES, select
from bench.machine import CannotMeasure, describe, require_tools, split_cores
from bench.report import print_table, write_json
from bench.rounds import measure
from bench.systems import started

# A full round takes 31 runs, a quick one 10. CPU per request settles within a second of load;
# rounds beat length.
FULL = (5, 2)
QUICK = (3, 1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure graphway beside nginx and a direct call; 6 minutes, --quick 45 s.",
    )
    parser.add_argument("--quick", action="store_true", help="only what has a budget, shorter")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument(
        "--only",
        metavar="NAME",
        default="",
        help=f"cases whose name holds NAME, as in {SHAPES[0].name}/50b/32",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="of each proxy")
    parser.add_argument("--check", action="store_true", help="exit 1 if a case is over its budget")
    return parser.parse_args()


def main() -> int:
    chosen = arguments()
    progress, console = Console(stderr=True), Console(width=None if sys.stdout.isatty() else 160)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had them ignored
        signal.signal(number, _interrupt)
    groups = select(QUICK_GROUPS if chosen.quick else GROUPS, chosen.only)
    rounds, seconds = QUICK if chosen.quick else FULL
    if not groups:
        progress.print(f"no case has {chosen.only!r} in its name")
        return 2
    try:
        require_tools()
        cores = split_cores(chosen.workers)
        os.sched_setaffinity(0, cores.load)  # the load generators are ours and inherit this
        conditions = describe() | {
            "workers": chosen.workers,
            "proxy_cores": sorted(cores.proxy),
            "load_cores": sorted(cores.load),
            "rounds": rounds,
            "seconds_per_run": seconds,
        }
        where = f"proxy on {sorted(cores.proxy)}, load and predictors on {sorted(cores.load)}"
        progress.print(f"cores: {where}" if cores.pinned else "too few cores: nothing is pinned")
        with started(cores, chosen.workers) as systems:
            measured = measure(systems, groups, rounds, seconds, progress.print)
    except CannotMeasure as error:
        progress.print(f"bench: {error}", markup=False)
        return 2
    except KeyboardInterrupt:
        progress.print("interrupted; every process has been ended")
        return 130
    print_table(measured, console)
    if chosen.json:
        write_json(measured, conditions, chosen.json)
    return int(measured.failed or (chosen.check and measured.over))


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
