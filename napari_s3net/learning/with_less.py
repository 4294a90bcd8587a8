"""Learning where memory is short: with smaller batches, then smaller planes, then on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

import torch

from napari_s3net.errors import OutOfMemoryError
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.model import LearnedModel
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.learning.steps import LearnStep
from napari_s3net.progress import Notice

Result = TypeVar("Result")
#: Long work that ends with a model.
Learning = Generator[LearnStep | Notice, bool | None, LearnedModel]


def iter_with_less(
    attempt: Callable[[ExampleSet, LearnSettings, torch.device], Generator[LearnStep | Notice, bool | None, Result]],
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
) -> Generator[LearnStep | Notice, bool | None, Result]:
    """Learn; where memory runs out again with smaller batches, then smaller planes, then on the CPU.

    Parameters
    ----------
    attempt : callable
        Begins learning with what it is given.
    data, settings, device
        Of the first attempt.

    Yields
    ------
    LearnStep or Notice
        The steps of the attempts; before each new one a notice.

    Returns
    -------
    Result
        Of the attempt that fitted.

    Raises
    ------
    OutOfMemoryError
        If none did.
    """
    from napari_s3net.runtime.device import empty_caches, is_out_of_memory

    while True:
        try:
            return (yield from attempt(data, settings, device))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        empty_caches()
        smaller = _smaller(data, settings, device)
        if smaller is None:
            raise OutOfMemoryError(
                f"Out of memory: learning at {data.size} pixels with {settings.batch} images an update does not fit, "
                "nor does less. Close other programs, or choose a smaller width."
            )
        data, settings, device, words = smaller
        yield Notice(f"Out of memory. Starting again {words}.")


def _smaller(
    data: ExampleSet, settings: LearnSettings, device: torch.device
) -> tuple[ExampleSet, LearnSettings, torch.device, str] | None:
    """What to try where memory ran out: smaller batches, then smaller planes, then the CPU."""
    if settings.batch > LEARNING.fewest_batch:
        changed = settings.replace(batch=settings.batch // 2)
        return data, changed, device, f"with {changed.batch} images an update"
    if data.size >= LEARNING.smallest_halved:
        return data.shrunk(), settings, device, f"at {data.size // 2} pixels"
    if device.type != "cpu":
        return data, settings, torch.device("cpu"), "on the CPU"
    return None
