"""Can this machine run that container? The local backend's part in choosing a runtime.

A container runs here if its manifest says with what: the annotation `graphway.dev/python-packages`
names the Python packages of its environment (it may be empty), or it has a command and no image,
so the command can only be meant for this machine. An image alone is for a cluster.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from controller.resources.core import Container
from controller.resources.parse import Runtime

PACKAGES = "graphway.dev/python-packages"
PYTHON = "graphway.dev/python"

Which = Callable[[str], str | None]


def runtime_obstacle(python: str, which: Which = shutil.which) -> Callable[[Runtime], str | None]:
    """For `runtimes.select`; `python` is this machine's version (3.11.7)."""

    def obstacle(runtime: Runtime) -> str | None:
        resource = runtime.resource
        return container_obstacle(
            resource.container,
            resource.metadata.annotations,
            runtime.folder,
            python,
            which,
        )

    return obstacle


def container_obstacle(
    container: Container,
    annotations: Mapping[str, str],
    folder: Path,
    python: str,
    which: Which = shutil.which,
) -> str | None:
    if not container.command:
        what = f"only an image ({container.image})" if container.image else "no command"
        return f"it has {what}, and images do not run on this machine"
    if wanted := annotations.get(PYTHON):
        try:
            if python not in SpecifierSet(wanted, prereleases=True):
                return f"it needs Python {wanted}, and this is {python}"
        except InvalidSpecifier:
            return f"its annotation {PYTHON} is no version range: {wanted!r}; write >=3.9,<3.13"
    if PACKAGES in annotations:
        return None  # the command comes out of the environment
    if container.image:
        return (
            f"its command belongs to an image ({container.image}); to run it on this machine, "
            f"name its Python packages in the annotation {PACKAGES}, or leave the image out"
        )
    command = container.command[0]
    program = str(folder / command) if command.startswith(("./", "../")) else command
    return None if which(program) else f"its command {command} is not found on this machine"
