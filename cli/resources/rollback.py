"""`graphway rollback`: an InferenceService asks for an earlier revision again, and all calls go
there.

The server keeps revisions as ControllerRevisions; one of them is written back as the manifest, so
that the rest is a rollout like any other: it is started beside what runs, and gets the calls once
it is ready.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.resources.changes import changes
from cli.resources.completion import complete_revisions, complete_services
from cli.resources.connect import REFUSED, USAGE, Server, connected, fail
from cli.resources.manifests import MANIFEST
from cli.resources.output import put
from cli.resources.teach import examples
from cli.resources.words import Namespace, meant_or_default
from controller.client.api import Api, Json, Selection, ServedKind
from controller.resources.annotations import STOP
from controller.rollout.back import annotations_for, earlier, spec_for
from controller.rollout.intent import before_of
from controller.rollout.revision import Revision, read
from controller.store.owned import SERVICE_LABEL

HELP = (
    "Let all calls of an InferenceService go to an earlier revision again."
    "\n\n"
    "Its specification becomes that of the revision; how it is scaled stays as it is. Without"
    " --to-revision it is the revision that was called before the newest one."
)
EXAMPLES = examples(
    ("rollback iris", "to what was called before"),
    ("rollback iris --dry-run", "what would change?"),
    ("get revisions", "which ones there are, and their shares now"),
    ("rollback iris --to-revision 3", "to one of them"),
    refused="there is no such revision, or calls did not go there in time",
)
POLL_S = 0.1
SETTLE_S = 5.0  # for the controller to look at what was written last

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Service:
    api: Api
    kind: ServedKind
    namespace: str
    name: str

    @property
    def title(self) -> str:
        return f"{self.kind.full_name}/{self.name}"

    def live(self) -> Json:
        return self.api.get(self.kind, self.namespace, self.name)

    def revisions(self) -> list[Revision]:
        """The oldest first."""
        kind = self.api.kind_of("apps/v1", "ControllerRevision")
        assert kind is not None  # of each server of this API
        where = Selection(self.namespace, f"{SERVICE_LABEL}={self.name}")
        found = map(read, self.api.list(kind, where)["items"])
        return sorted(found, key=lambda revision: revision.number)


@app.command(help=HELP, epilog=EXAMPLES)
def rollback(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Of an InferenceService.",
            autocompletion=complete_services,
            show_default=False,
        ),
    ],
    namespace: Namespace = "default",
    number: Annotated[
        int | None,
        typer.Option(
            "--to-revision",
            metavar="N",
            help="Which one (the one before).",
            autocompletion=complete_revisions,
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Until calls go there.")] = True,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait; 0: for ever.", min=0)
    ] = 300,
    server: Server = None,
) -> None:
    with connected(server) as api:
        service = _service(api, namespace, name)
        live = _settled(service)
        known = service.revisions()
        target = _target(service, live, known, number)
        metadata, annotations = live["metadata"], live["metadata"].get("annotations") or {}
        spec = spec_for(target, live["spec"])
        kept = annotations_for(target, annotations)
        shown = [*changes(live["spec"], spec), *changes(annotations, kept, "annotations")]
        if not shown:
            _nothing_to_change(live, target)
        operations: list[Json] = [
            # Whoever changes it in the same moment is not overwritten.
            {"op": "test", "path": "/metadata/generation", "value": metadata["generation"]},
            {"op": "replace", "path": "/spec", "value": spec},
        ]
        if kept != annotations:
            operations.append({"op": "add", "path": "/metadata/annotations", "value": kept})
        at = (service.kind, namespace, service.name)
        after = api.edit(*at, operations, dry_run=dry_run)
        how = " (dry run)" if dry_run else ""
        put([f"{service.title} goes back to {target.name}{how}", *(f"  {line}" for line in shown)])
        _warn_of_file(service, annotations, shown)
        if dry_run or not wait:
            return
        if annotations.get(STOP) == "true":
            put([f"it is stopped; `graphway resume {service.name}` starts it"])
            return
        _wait(service, after["metadata"]["generation"], target, timeout)


def _service(api: Api, namespace: str, name: str) -> Service:
    (one,) = meant_or_default(api, [name], "inferenceservices")
    if one.kind.name != "InferenceService":
        fail(USAGE, f"{one.kind.plural} have no revisions; inferenceservices do")
    return Service(api, one.kind, namespace, one.names[0])


def _settled(service: Service) -> Json:
    """With a status that is of the newest specification, if the controller gets to it soon."""
    ends = time.monotonic() + SETTLE_S
    while True:
        live = service.live()
        if _is_seen(live, live["metadata"]["generation"]) or time.monotonic() > ends:
            return live
        time.sleep(POLL_S)


def _target(service: Service, live: Json, known: list[Revision], number: int | None) -> Revision:
    if number is None:
        names = {revision.name for revision in known}
        model = (live.get("status") or {}).get("modelStatus") or {}
        refused = model.get("transitionStatus") == "InvalidSpec"
        found = earlier(known, before_of(live, names), refused=refused)
        if found is None:
            fail(REFUSED, f"{service.title} has nothing to go back to: {_listed(known)}")
        return found
    by_number = {revision.number: revision for revision in known}
    if number not in by_number:
        fail(REFUSED, f"{service.title} has no revision {number}: {_listed(known)}")
    return by_number[number]


def _listed(known: list[Revision]) -> str:
    if not known:
        return "none of it is kept"
    numbers = ", ".join(str(revision.number) for revision in known)
    return f"kept {'is' if len(known) == 1 else 'are'} {numbers} (`graphway get revisions`)"


def _nothing_to_change(live: Json, target: Revision) -> None:
    shares = _shares(live)
    if shares == {target.name: 100}:
        put([f"all calls go to {target.name} already"])
        raise typer.Exit(0)
    newest = _predictor(live).get("latestCreatedRevision")
    if newest in (None, target.name):
        fail(REFUSED, f"{target.name} is what is asked for, and {_told(live)}")
    fail(
        REFUSED,
        f"{target.name} and {newest} have the same specification: the runtime has changed;"
        f" apply the one of before: `graphway get revisions {target.name} -o yaml`, data.runtimes",
    )


def _warn_of_file(service: Service, annotations: Json, shown: list[str]) -> None:
    file = annotations.get(MANIFEST)
    if not file:
        return
    message = f"warning: {file} says it otherwise, and wins with its next edit and the next start"
    print(f"{service.title}: {message}; change there too what is listed above", file=sys.stderr)


def _wait(service: Service, generation: int, target: Revision, timeout: float) -> None:
    ends = time.monotonic() + timeout if timeout else None
    said = ""
    while True:
        live = service.live()
        newest = _predictor(live).get("latestCreatedRevision")
        if _is_seen(live, generation) and _shares(live) == {newest: 100}:
            break
        told = _told(live)
        if told != said:
            print(f"waiting: {told}", file=sys.stderr, flush=True)
            said = told
        if ends is not None and time.monotonic() > ends:
            fail(REFUSED, f"not within {timeout:g} s: {told}; `graphway describe isvc` says more")
        time.sleep(POLL_S)
    same = "" if newest == target.name else f", made anew of {target.name}: the runtime has changed"
    put([f"all calls go to {newest}{same}"])


def _is_seen(live: Json, generation: int) -> bool:
    return bool((live.get("status") or {}).get("observedGeneration", 0) >= generation)


def _predictor(live: Json) -> Json:
    components: Json = (live.get("status") or {}).get("components") or {}
    found: Json = components.get("predictor") or {}
    return found


def _shares(live: Json) -> dict[str, int]:
    shares = _predictor(live).get("traffic") or ()
    return {share["revisionName"]: share["percent"] for share in shares if share["percent"]}


def _told(live: Json) -> str:
    """Who is called, and how the newest one fares."""
    called = ", ".join(f"{name} ({percent} %)" for name, percent in _shares(live).items())
    return "; ".join([f"calls go to {called or 'nobody'}", *_faults(live)])


def _faults(live: Json) -> Iterator[str]:
    for condition in (live.get("status") or {}).get("conditions") or ():
        if condition["type"] == "PredictorReady" and condition["status"] != "True":
            said = (condition.get("reason"), condition.get("message"))
            yield ": ".join(text for text in said if text) or "the predictor is not ready"
