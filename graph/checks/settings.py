"""Settings of the whole graph: timeouts and replicas that cannot be meant."""

from collections.abc import Iterator

from graph.checks.subject import Subject
from graph.codes import Code
from graph.problems import Path, Problem
from graph.spec import RouterTimeouts


def timeouts(subject: Subject) -> Iterator[Problem]:
    given = subject.spec.router_timeouts or RouterTimeouts()
    values: tuple[tuple[Path, int | None], ...] = (
        (("spec", "timeout"), subject.spec.timeout),
        (("spec", "routerTimeouts", "serverRead"), given.server_read),
        (("spec", "routerTimeouts", "serverWrite"), given.server_write),
        (("spec", "routerTimeouts", "serverIdle"), given.server_idle),
        (("spec", "routerTimeouts", "serviceClient"), given.service_client),
    )
    for path, seconds in values:
        if seconds is not None and seconds < 0:
            message = f"{seconds} s is read as no limit; write 0 if that is meant, or a time"
            yield Code.NEGATIVE_TIMEOUT.at(path, message)


def replicas(subject: Subject) -> Iterator[Problem]:
    least, most = subject.spec.min_replicas, subject.spec.max_replicas
    for key, value in (("minReplicas", least), ("maxReplicas", most)):
        if value is not None and value < 0:
            message = f"{value} is no number of replicas; give it 0 or more"
            yield Code.REPLICAS.at(("spec", key), message)
    if least is not None and most and 0 < most < least:
        message = f"minReplicas {least} is more than maxReplicas {most}; a cluster refuses that"
        yield Code.REPLICAS.at(("spec", "minReplicas"), f"{message}, so change one of them")
