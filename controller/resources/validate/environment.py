"""Environment variables that are not the author's to set."""

from collections.abc import Iterable, Iterator

from controller.resources.codes import Code
from controller.resources.core import Container
from controller.resources.validate.subject import PREDICTOR, Subject
from graph.problems import Path, Problem

PARALLELISM = ("PIPELINE_PARALLEL_SIZE", "TENSOR_PARALLEL_SIZE")


def python_path(subject: Subject) -> Iterator[Problem]:
    yield from no_python_path(subject.containers())


def no_python_path(containers: Iterable[tuple[Path, Container]]) -> Iterator[Problem]:
    for path, container in containers:
        message = "it would load other code than the image's; install the code in the image"
        yield from refused(path, container, ("PYTHONPATH",), message)


def collocated_storage(subject: Subject) -> Iterator[Problem]:
    for index, container in enumerate(subject.service.spec.predictor.containers):
        if container.name == "transformer-container":
            path = (*PREDICTOR, "containers", index)
            message = "the model is fetched once, for the predictor beside it; remove it"
            yield from refused(path, container, ("STORAGE_URI",), message)


def refused(
    path: Path, container: Container, names: tuple[str, ...], message: str
) -> Iterator[Problem]:
    for index, item in enumerate(container.env):
        if item.name in names:
            where = (*path, "env", index)
            yield Code.RESERVED_ENV.at(where, f"{item.name} cannot be set here: {message}")
