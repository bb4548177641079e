"""Which build of a runtime's image: another version, with GPU, without one. Pure."""

import re

from controller.resources.core import ResourceRequirements
from controller.server_types import HUGGING_FACE, TENSORFLOW, TORCHSERVE, VLLM

_TAG = re.compile(r":[\w.-]*$")
_GPU_TAGGED = frozenset({HUGGING_FACE, TENSORFLOW, TORCHSERVE})  # their GPU builds: `<tag>-gpu`


def image_of(image: str, version: str | None, server_type: str, has_gpu: bool) -> str:
    if "@sha256:" in image:
        return image  # it says exactly which
    tag = _TAG.search(image)
    repository = image[: tag.start()] if tag else image
    if version is not None:
        return f"{repository}:{version}"
    if tag is None:
        return image
    if has_gpu and server_type in _GPU_TAGGED and not image.endswith("-gpu"):
        return f"{image}-gpu"
    if not has_gpu and server_type == VLLM and not repository.endswith("-cpu"):
        return f"{repository}-cpu{tag[0]}"  # a sibling repository
    return image


def has_gpu(resources: ResourceRequirements | None) -> bool:
    limits = resources.limits if resources else {}
    return any(name == "nvidia.com/gpu" or name.startswith("nvidia.com/mig") for name in limits)
