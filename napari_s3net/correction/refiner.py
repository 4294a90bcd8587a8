"""Strokes on one plane to better labels.

`relabel` moves the borders: what lies near a stroke and looks like it follows. What looks alike is decided by
the colours and, where a network that comes with the program knows the object, by what that network tells apart.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.transform import resize

from napari_s3net import __version__
from napari_s3net.correction.constraints import make_constraints
from napari_s3net.correction.propagation import PixelFeatures
from napari_s3net.correction.relabel import relabel
from napari_s3net.errors import InvalidConstraintsError
from napari_s3net.image import Image
from napari_s3net.preprocessing.check import check_plane
from napari_s3net.preprocessing.window import sampling_step, to_unit
from napari_s3net.progress import Step
from napari_s3net.result import Segmentation
from napari_s3net.runtime.device import memory_errors, resolve_device
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.memory import estimate_mib
from napari_s3net.runtime.threads import threads_for
from napari_s3net.settings import Settings
from napari_s3net.training.taught import view_features


@dataclass(frozen=True, kw_only=True)
class SpreadConstants:
    """The picture over which strokes spread. Chosen on half *a* of the development sets; see `docs/correcting.md`.

    Parameters
    ----------
    size : int
        Longer side, in pixels.
    blur : float
        Standard deviation of the blur of its colours, in those pixels.
    """

    size: int = 256
    blur: float = 2.0


SPREAD = SpreadConstants()


class Refiner:
    """Refines results on one image; what does not change between re-runs is prepared once.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        Those of the result that is corrected.
    device : str or torch.device
        As in `segment`.
    in_volume : bool
        Whether the plane is corrected with its volume, where each change is asked for its evidence afterwards: then a
        stroke on CT may reach farther.
    """

    def __init__(
        self, image: Image, settings: Settings, *, device: str | torch.device = "auto", in_volume: bool = False
    ) -> None:
        check_plane(image)
        self.image, self.settings, self._in_volume = image, settings, in_volume
        self.device = resolve_device(device)
        self._features: PixelFeatures | None = None

    def rerun(
        self,
        result: Segmentation,
        constraints: NDArray[Any],
        *,
        locked: Collection[int] = (),
        locked_region: NDArray[np.bool_] | None = None,
    ) -> Segmentation:
        """Correct a result by strokes, and wait for the new one.

        Parameters
        ----------
        result : Segmentation
            Of this image.
        constraints : numpy.ndarray
            (H, W) strokes, as in `refine`.
        locked, locked_region
            As in `refine`.

        Returns
        -------
        Segmentation
            As from `refine`.

        Raises
        ------
        S3NetError
            As in `refine`; it is not tried again where memory ran out.
        """
        return drain(self.iter_rerun(result, constraints, locked=locked, locked_region=locked_region))

    def iter_rerun(
        self,
        result: Segmentation,
        constraints: NDArray[Any],
        *,
        locked: Collection[int] = (),
        locked_region: NDArray[np.bool_] | None = None,
    ) -> Generator[Step, bool | None, Segmentation]:
        """Correct a result by strokes, in the form in which long work is written.

        Parameters
        ----------
        result : Segmentation
            Of this image.
        constraints : numpy.ndarray
            (H, W) strokes, as in `refine`.
        locked, locked_region
            As in `refine`.

        Yields
        ------
        Step
            None: it is over in a moment.

        Returns
        -------
        Segmentation
            As from `refine`.

        Raises
        ------
        InvalidConstraintsError
            If strokes, locks, labels and image do not have one shape, or strokes are no labels.
        OutOfMemoryError
            As in `refine`.
        """
        yield from ()
        started = time.perf_counter()
        if result.labels.shape != self.image.shape:
            raise InvalidConstraintsError(
                f"The labels are {result.labels.shape}, the image is {self.image.shape}; expected the same shape."
            )
        checked = make_constraints(result, constraints, locked, locked_region)
        labels = result.labels
        if checked.violated.any():
            needed = estimate_mib(self.image.shape, self.settings)
            with memory_errors(self.device, needed), threads_for(self.settings.working_shape(self.image.shape)):
                labels = relabel(checked, self._look())
        provenance = replace(
            result.provenance,
            version=__version__,
            device=str(self.device),
            seconds=time.perf_counter() - started,
            stopped=False,
            note="",
            image=self.image.facts,
            iterations=0,
            losses=(),
            slices=(),
        )
        return replace(result.with_object(checked.foreground), labels=labels, provenance=provenance, image=self.image)

    def _look(self) -> PixelFeatures:
        """What each pixel looks like; computed once."""
        if self._features is None:
            colours = colour_features(self.image, self.settings)
            unit = to_unit(self.image, self.settings, step=sampling_step(self.image.shape))
            learned = view_features(unit, self.settings, colours.coarse_shape, self.device)
            near_only = self.image.kind == "ct" and not self._in_volume
            self._features = replace(colours, learned=learned, in_hounsfield=near_only)
        return self._features


def colour_features(image: Image, settings: Settings) -> PixelFeatures:
    """Compute the smoothed colours of an image at the size at which strokes spread.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        The window of CT.

    Returns
    -------
    PixelFeatures
        With a longer side of at most `SpreadConstants.size` pixels, without what a network tells apart.
    """
    unit = to_unit(image, settings)
    factor = min(1.0, SPREAD.size / max(image.shape))
    shape = tuple(max(1, round(n * factor)) for n in image.shape)
    small = resize(unit, (*shape, unit.shape[2]), order=1, anti_aliasing=factor < 1).astype(np.float32)
    smooth = ndimage.gaussian_filter(small, (SPREAD.blur, SPREAD.blur, 0))
    return PixelFeatures((rgb2lab(smooth) if smooth.shape[2] == 3 else 100 * smooth).astype(np.float32))
