"""The object of a volume, found in three dimensions where the target allows it."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.foreground.volume_objects import VOLUME_OBJECTS
from napari_s3net.image import Image
from napari_s3net.preprocessing.millimetres import pixel_spacing, spacing_note
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.progress import Step
from napari_s3net.settings import Settings
from napari_s3net.volume.pool import in_order
from napari_s3net.volume.sampled import read_slice

#: mm between slices where the image does not say, as is usual for a chest.
TYPICAL_DEPTH = 3.0


class VolumeFinder:
    """Finds the object in the whole volume where the target allows it.

    Parameters
    ----------
    image : Image
        The volume.
    settings : Settings
        `target` counts; `found` is None where it is proposed slice by slice.
    """

    def __init__(self, image: Image, settings: Settings) -> None:
        self._image, self.found = image, VOLUME_OBJECTS.get(settings.target)
        plane = image.slice(0)
        self.spacing = pixel_spacing(plane)
        depth = image.geometry.spacing[0] if image.geometry.unit == "mm" else TYPICAL_DEPTH
        self.voxel = (depth, *self.spacing)
        self.note = spacing_note(plane) if settings.target == "lung" else ""
        #: Pixels of the object in each slice; 1 where the object is proposed slice by slice.
        self.weights = np.ones(len(image.array), np.int64)
        self._parts: list[Any] = []
        self._chosen: list[NDArray[np.bool_]] = []

    def look(self, pool: ThreadPoolExecutor) -> Generator[Step, bool | None, None]:
        """Look at every slice and judge all together; nothing to do where the object is proposed slice by slice.

        Parameters
        ----------
        pool : ThreadPoolExecutor
            Who looks.

        Yields
        ------
        Step
            One a slice, without an iteration.

        Returns
        -------
        None
            What was found is kept here.
        """
        if self.found is None:
            return
        n = len(self._image.array)
        for _, part in in_order(pool, self._look_at, n):
            self._parts.append(part)
            yield Step(0, 1, {}, 0, slice=0, slices=n)
        self._chosen = self.found.choose(self._parts, self.voxel)
        self.weights = np.array([int(chosen.any()) for chosen in self._chosen])

    def _look_at(self, index: int) -> Any:
        assert self.found is not None  # noqa: S101 - asked for by `look`
        plane = read_slice(self._image, index)
        empty = np.zeros(self._image.shape[1:], np.float32)
        return self.found.look(empty if plane is None else plane.image.array, self.spacing)

    def mask(self, index: int, plane: PreparedPlane) -> NDArray[np.bool_]:
        """Draw the object in one slice.

        Parameters
        ----------
        index : int
            Which slice, from 0.
        plane : PreparedPlane
            The slice.

        Returns
        -------
        numpy.ndarray
            (H, W) bool.
        """
        assert self.found is not None  # noqa: S101 - asked for where the target is found in the volume
        return self.found.draw(self._parts[index], self._chosen[index], plane.image.array, self.spacing)
