"""`graphway up --dry-run`: what would run, where it comes from and why; every problem. Starts
nothing.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from controller.desired import Unit
from controller.local.built_in import built_in_runtimes
from controller.local.home import Home
from controller.local.plan import Machine, Plan, Planned, plan
from controller.local.pods import process_of
from controller.local.replica import ProcessSpec
from controller.resources.parse import parse
from controller.storage.outcome import in_words
from graph.workspace import load_paths


def dry_run(paths: Sequence[str], machine: Machine) -> int:
    """The exit code: 1 if something could not run."""
    workspace = load_paths(paths)
    made = plan(parse(workspace.documents, built_in_runtimes()), machine)
    problems = [*workspace.problems, *made.problems]
    for problem in problems:
        print(problem, file=sys.stderr)
    for planned in made.services:
        print("\n".join(_service(planned, made)))
    for graph in workspace.graphs:
        assert graph.graph is not None
        steps = [s for node in graph.graph.spec.nodes.values() for s in node.steps or ()]
        services = dict.fromkeys(step.service_name for step in steps if step.service_name)
        print(f"InferenceGraph {graph.key}: /graphs/{graph.key}")
        if services:
            print(f"  calls {', '.join(services)}")
    return int(any(problem.is_error for problem in problems))


def _service(planned: Planned, made: Plan) -> Iterator[str]:
    yield f"InferenceService {planned.key}: POST {planned.wanted.path}"
    for unit in planned.wanted.units:
        yield f"  {unit.role}" + (f", {unit.replicas} replicas" if unit.replicas > 1 else "")
        yield from (f"    {line}" for line in _unit(planned, unit, made))


def _unit(planned: Planned, unit: Unit, made: Plan) -> Iterator[str]:
    runtime = planned.wanted.runtime
    selection = made.selections.get(planned.key)
    if unit.role == "predictor" and runtime is not None and selection is not None:
        asked = "named by the manifest" if _is_named(planned) else "chosen by format and protocol"
        yield f"runtime      {runtime.name} ({asked}; {selection.protocol})"
        yield from (f"             not {p.runtime.name}: {p.reason}" for p in selection.passed_over)
    process = process_of(planned.key, f"{planned.key}/{unit.role}-0", unit, {}, _HOME, _unread)
    if isinstance(process, ProcessSpec):
        yield f"command      {' '.join(process.argv)}"
        if process.packages is not None:
            yield f"environment  {' '.join(process.packages) or 'an empty one'}"
        for name, value in unit_variables(unit):
            yield f"             {name}={value}"
        if process.gpus:
            yield f"GPUs         {process.gpus}"
        if process.memory_bytes is not None:
            yield f"memory       {in_words(process.memory_bytes)} at most"
        if process.cpus is not None:
            yield f"CPUs         {process.cpus:g} at most"
    for mount in unit.component.mounts:
        yield f"model        {mount.uri or 'as its storage says'} at {mount.path}"


def unit_variables(unit: Unit) -> Iterator[tuple[str, str]]:
    """Those that the manifests say; what comes from a Secret is only named."""
    for item in unit.component.container.env:
        yield item.name, "(from elsewhere)" if item.value_from is not None else item.value or ""


def _is_named(planned: Planned) -> bool:
    model = planned.service.resource.spec.predictor.model
    return model is not None and model.runtime is not None


class _Anything(defaultdict[str, str]):
    """Holds every key: nothing is started, and what Secrets hold is not printed."""

    def __contains__(self, key: object) -> bool:
        return True


def _unread(_kind: str, _name: str) -> dict[str, str]:
    return _Anything(str)


_HOME = Home(Path("$GRAPHWAY_HOME"))
