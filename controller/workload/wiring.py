"""How a transformer or explainer is told what it stands before. Pure.

By arguments, each a flag and its value, and each only if no argument begins with that flag: who
says it himself is right.
"""

from collections.abc import Iterable

from controller.resources.component import MODEL_MOUNT, ComponentSpec
from controller.resources.core import Container
from controller.resources.inferenceservice import ARTExplainerSpec

Flags = Iterable[tuple[str, str]]


def flags(model: str, predictor_host: str, http_port: str, component: ComponentSpec) -> Flags:
    yield "--model_name", model
    yield "--predictor_host", predictor_host
    yield "--http_port", http_port
    if component.container_concurrency is not None:
        yield "--workers", str(component.container_concurrency)


def art_flags(art: ARTExplainerSpec) -> Flags:
    """Of the Adversarial Robustness Toolbox's explainer."""
    if art.storage_uri or art.storage:
        yield "--storage_uri", MODEL_MOUNT
    if art.type:
        yield "--adversary_type", art.type
    for name, value in sorted(art.config.items()):
        yield f"--{name}", value


def wired(container: Container, added: Flags, later: Iterable[str] = ()) -> Container:
    """`later`: arguments that will come after these."""
    args, said = list(container.args), (*container.args, *later)
    for flag, value in added:
        if not any(word.startswith(flag) for word in said):
            args += (flag, value)
    return container.model_copy(update={"args": tuple(args)})
