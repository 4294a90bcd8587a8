"""What tests put in place of the network; workers import it by its name."""

import os
import resource
import signal
import time

import numpy as np

from napari_s3net.errors import InvalidImageError
from napari_s3net.progress import Step
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation


def threshold(image, settings, device):
    """Dark pixels are the object; of a stack too."""
    array = image.array
    if not np.isfinite(array).all():
        raise InvalidImageError("NaN.")
    tone = array[..., 1] if image.kind == "rgb" else array
    labels = np.where(tone < tone.mean(), 1, 2).astype(np.int32)
    confidence = float(np.clip(abs(tone[labels == 1].mean() - tone[labels == 2].mean()) / 255, 0, 1))
    made = Provenance(settings=settings, version="1", device="cpu", confidence=confidence)
    return Segmentation(labels, (1,), image.geometry, made, {1: "Lesion", 2: "Skin"}, object_name="Lesion")


def deadly(image, settings, device):
    """Kills its process, or runs out of memory, as the image's name says."""
    if image.name.startswith("abort"):
        os.abort()
    if image.name.startswith("killed") and settings.working_size > 64:
        os.kill(os.getpid(), signal.SIGKILL)
    if image.name.startswith("huge") and device != "cpu":
        import torch  # noqa: F401 - whose error it is

        raise RuntimeError("CUDA out of memory. Tried to allocate 80 GiB")
    if image.name.startswith("hungry"):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, hard))
        try:
            np.ones(8 << 30, np.uint8)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    if image.name.startswith("odd"):
        raise KeyError("k")
    return threshold(image, settings, device)


def vanishing(image, settings, device):
    """Holds on to nothing: waits until it is killed."""
    time.sleep(600)


def stepwise(image, settings, device):
    """Tells each slice of a stack, twice."""
    for index in range(len(image.array) if image.is_stack else 0):
        for iteration in (1, 2):
            time.sleep(0.05)
            yield Step(iteration, 2, {}, 2, slice=index, slices=len(image.array))
    return threshold(image, settings, device)


def cramped(image, settings, device):
    """Leaves no room for what comes after the image called "full", as a disk that is full."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 if image.name.startswith("full") else hard, hard))
    return threshold(image, settings, device)
