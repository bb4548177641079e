"""Which build of an image."""

import pytest

from controller.resources.core import ResourceRequirements
from controller.workload.image import has_gpu, image_of

IMAGES = {
    "as the runtime says": ("x/y:1", None, "other", False, "x/y:1"),
    "another version": ("x/y:1", "2", "other", False, "x/y:2"),
    "a version where there was none": ("x/y", "2", "other", False, "x/y:2"),
    "a registry's port is no tag": ("host:5000/y", "2", "other", False, "host:5000/y:2"),
    "a digest says which": ("x/y@sha256:ab", "2", "other", False, "x/y@sha256:ab"),
    "TensorFlow with GPU": ("tf:1", None, "tensorflow-serving", True, "tf:1-gpu"),
    "TorchServe with GPU": ("ts:1", None, "torchserve", True, "ts:1-gpu"),
    "Hugging Face with GPU": ("hf:1", None, "huggingfaceserver", True, "hf:1-gpu"),
    "one for GPUs already": ("hf:1-gpu", None, "huggingfaceserver", True, "hf:1-gpu"),
    "no GPU": ("hf:1", None, "huggingfaceserver", False, "hf:1"),
    "a version goes before the GPU": ("tf:1", "2", "tensorflow-serving", True, "tf:2"),
    "others have one image for both": ("x:1", None, "tritonserver", True, "x:1"),
    "vLLM without GPU": ("vllm/openai:1", None, "vllmserver", False, "vllm/openai-cpu:1"),
    "vLLM without GPU, already so": ("v/o-cpu:1", None, "vllmserver", False, "v/o-cpu:1"),
    "vLLM with GPU": ("vllm/openai:1", None, "vllmserver", True, "vllm/openai:1"),
    "without a tag, nothing is added": ("tf", None, "tensorflow-serving", True, "tf"),
}


@pytest.mark.parametrize(
    ("image", "version", "kind", "gpu", "expected"), IMAGES.values(), ids=IMAGES
)
def test_image(image: str, version: str | None, kind: str, gpu: bool, expected: str) -> None:
    assert image_of(image, version, kind, gpu) == expected


GPUS = {
    "none": (None, False),
    "no limits": (ResourceRequirements(), False),
    "a GPU": (ResourceRequirements(limits={"nvidia.com/gpu": 1}), True),
    "a part of one": (ResourceRequirements(limits={"nvidia.com/mig-1g.5gb": 1}), True),
    "only asked for": (ResourceRequirements(requests={"nvidia.com/gpu": 1}), False),
}


@pytest.mark.parametrize(("resources", "expected"), GPUS.values(), ids=GPUS)
def test_has_gpu(resources: ResourceRequirements | None, expected: bool) -> None:
    assert has_gpu(resources) is expected
