"""What is made of a plane before anything is trained or proposed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Image
from napari_s3net.preprocessing.check import check_plane, check_target
from napari_s3net.preprocessing.hair import remove_hair
from napari_s3net.preprocessing.resize import block_means, shrink
from napari_s3net.preprocessing.values import CompletePlane
from napari_s3net.preprocessing.window import Window, choose_window, with_channels
from napari_s3net.settings import Settings


@dataclass(frozen=True, eq=False)
class PreparedPlane:
    """A plane that can be segmented, with what is computed from it once.

    Parameters
    ----------
    image : Image
        The plane itself, with a number that float32 holds at every pixel.
    window : Window
        The intensities that become 0 and 1.
    features : numpy.ndarray
        (h, w, C) float32 in [0, 1]: the image at the working size, which the network is given to see.
    missing : numpy.ndarray or None
        (H, W) bool: where nothing was measured; None where that is nowhere.
    note : str
        What the user has to know about it; mostly empty.
    """

    image: Image
    window: Window
    features: NDArray[np.float32]
    missing: NDArray[np.bool_] | None = None
    note: str = ""

    def to_unit(self, *, step: int = 1) -> NDArray[np.float32]:
        """Look at the image through its window, at its own size.

        Parameters
        ----------
        step : int
            Take every n-th row and column only.

        Returns
        -------
        numpy.ndarray
            (H, W, C) float32 in [0, 1], with H and W divided by `step` and C = 1 or 3.
        """
        return with_channels(self.window.apply(self.image.array[::step, ::step]))


def prepare(image: Image, settings: Settings) -> PreparedPlane:
    """Check a plane, choose its window and bring it to the working size.

    Parameters
    ----------
    image : Image
        One plane, as it was opened.
    settings : Settings
        Target, window, working size, and whether hairs are removed.

    Returns
    -------
    PreparedPlane
        What all further steps read.

    Raises
    ------
    InvalidImageError
        If it cannot be segmented, or not for this target; see `check_plane` and `check_target`.
    """
    check_target(image, settings)
    return _prepared(check_plane(image), settings)


def to_features(image: Image, settings: Settings) -> NDArray[np.float32]:
    """Bring an image to the working size, whatever its target; otherwise as `prepare`.

    Parameters
    ----------
    image : Image
        One plane, as it was opened.
    settings : Settings
        Window, working size, and whether hairs are removed.

    Returns
    -------
    numpy.ndarray
        (h, w, C) float32 in [0, 1], with C = 1 or 3.

    Raises
    ------
    InvalidImageError
        If it cannot be segmented; see `check_plane`.
    """
    return _prepared(check_plane(image), settings).features


def prepare_through(plane: CompletePlane, window: Window, settings: Settings) -> PreparedPlane:
    """Bring a plane to the working size through a window that was chosen before, as for all slices of a volume.

    Parameters
    ----------
    plane : CompletePlane
        One plane, checked.
    window : Window
        The intensities that become 0 and 1.
    settings : Settings
        Working size, and whether hairs are removed.

    Returns
    -------
    PreparedPlane
        As from `prepare`.
    """
    return PreparedPlane(plane.image, window, _features(plane.image, window, settings), plane.missing, plane.note)


def _prepared(plane: CompletePlane, settings: Settings) -> PreparedPlane:
    return prepare_through(plane, choose_window(plane, settings), settings)


def _features(image: Image, window: Window, settings: Settings) -> NDArray[np.float32]:
    """Window, hairs, working size.

    Hairs are thin, so they are looked for before the last step of shrinking; see `remove_hair`.
    """
    shape = settings.working_shape(image.shape)
    array = image.array
    if max(image.shape) > 2 * max(shape):  # large: means of blocks first, and the smoother way for the rest
        array = block_means(array, (2 * shape[0], 2 * shape[1]))
    unit = with_channels(window.apply(array))
    if settings.remove_hair and image.kind == "rgb":
        unit = remove_hair(unit)
    return shrink(unit, shape)
