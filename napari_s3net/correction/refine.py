"""Labels and strokes to better labels: of a plane by `refiner`, of a volume by `refine_volume`."""

from __future__ import annotations

from collections.abc import Collection, Generator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net.correction.refine_volume import iter_rerun_volume
from napari_s3net.correction.refiner import Refiner
from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image, as_image
from napari_s3net.progress import Step
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.oom_retry import iter_retrying
from napari_s3net.settings import Settings


def refine(
    result: Segmentation,
    constraints: NDArray[Any],
    *,
    image: Image | NDArray[Any] | None = None,
    locked: Collection[int] = (),
    locked_region: NDArray[np.bool_] | None = None,
    device: str | torch.device = "auto",
) -> Segmentation:
    """Correct a result by strokes, and wait for the new one.

    The strokes of a volume work together: what they change in their slices is carried to the slices beside, as
    `refine_volume` says; of a stack of photographs only slices with strokes change.

    Parameters
    ----------
    result : Segmentation
        From `segment`, from an earlier `refine`, or made of saved labels; of a plane or a volume.
    constraints : numpy.ndarray
        (H, W) or (Z, H, W) whole numbers: 0 where nothing was drawn, else the id of a label, or `constraints.OBJECT` or
        `constraints.BACKGROUND`. All strokes drawn so far, not only the newest.
    image : Image or numpy.ndarray, optional
        What was segmented; may be left out where the result knows it.
    locked : collection of int
        Labels that come back bit for bit. A lock is stronger than a stroke.
    locked_region : numpy.ndarray, optional
        Bool, of the labels' shape: pixels that come back as they are.
    device : str or torch.device
        As in `segment`.

    Returns
    -------
    Segmentation
        With the ids, names, object and weights of `result`. Where the labels obey every stroke already, they are those
        of `result`: a re-run without a new stroke changes nothing. Where memory ran out it was tried again as
        `oom_retry` says, and the note in its provenance tells.

    Raises
    ------
    InvalidImageError
        If the result does not know its image and none is given, or it cannot be segmented.
    InvalidConstraintsError
        If strokes, locks, labels and image do not have one shape, or strokes are no labels.
    DeviceError, OutOfMemoryError
        As in `segment`.
    """
    known = result.image if image is None else as_image(image)
    if known is None:
        raise InvalidImageError("The result does not know its image any more: give it as `image`.")

    def make(settings: Settings, where: torch.device) -> Generator[Step, bool | None, Segmentation]:
        if known.is_stack:
            volume = partial(iter_rerun_volume, known, result, constraints, settings=settings, device=where)
            return volume(locked=locked, locked_region=locked_region)
        refiner = Refiner(known, settings, device=where)
        return refiner.iter_rerun(result, constraints, locked=locked, locked_region=locked_region)

    return drain(iter_retrying(make, result.settings, device))
