"""Methods that correct a mask by strokes: ours, and two that people use, written to win.

Each is made with the image, the mask to start from, the settings that suit the image, and the device; and has
`rerun(prediction, strokes)` with strokes 1 for object, 2 for background and 0 elsewhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.segmentation import random_walker

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.correction.refiner import Refiner
from napari_s3net.image import Image
from napari_s3net.preprocessing.window import to_unit
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings

#: The random walker decides in a band of this share of the longer side on either side of the first border.
BAND, BETA = 0.05, 90
#: Scales of the forest's features in pixels, and how many pixels of the first mask it learns from beside the strokes.
SCALES, FROM_START, TREES = (0.7, 1.6, 3.5, 7.0, 10.0), 800, 50


class Corrector(Protocol):
    """What the benchmark runs again after each stroke."""

    def rerun(self, prediction: NDArray[np.bool_], strokes: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Make a new mask after a stroke.

        Parameters
        ----------
        prediction : numpy.ndarray
            (H, W) bool, the mask before the stroke.
        strokes : numpy.ndarray
            (H, W) uint8, all strokes so far: 1 for object, 2 for background, 0 elsewhere.

        Returns
        -------
        numpy.ndarray
            (H, W) bool.
        """
        ...


class Ours:
    """Our own corrections (`refine`).

    Parameters
    ----------
    image : Image
        One plane.
    start : numpy.ndarray
        (H, W) bool, the mask to start from.
    settings : Settings
        With `start="random"` no taught network is asked.
    device : str
        As in `segment`.
    """

    def __init__(self, image: Image, start: NDArray[np.bool_], settings: Settings, device: str) -> None:
        halves = np.where(start, 1, 2).astype(np.int32)
        self._result = Segmentation(halves, (1,), image.geometry, Provenance(settings=settings))
        self._refiner = Refiner(image, settings, device=device)

    def rerun(self, prediction: NDArray[np.bool_], strokes: NDArray[np.uint8]) -> NDArray[np.bool_]:  # noqa: ARG002 - it knows it
        """Spread the strokes over the image.

        Parameters
        ----------
        prediction : numpy.ndarray
            Not used: the result of the last run is kept here.
        strokes : numpy.ndarray
            (H, W) uint8, all strokes so far: 1 for object, 2 for background, 0 elsewhere.

        Returns
        -------
        numpy.ndarray
            (H, W) bool.
        """
        self._result = self._refiner.rerun(self._result, np.array([0, OBJECT, BACKGROUND], np.int32)[strokes])
        return self._result.mask


class RandomWalker:
    """scikit-image's random walker in a band along the border of the first mask.

    Seeds are the strokes, and what lies farther from that border than the band is wide.

    Parameters
    ----------
    image : Image
        One plane.
    start : numpy.ndarray
        (H, W) bool, the mask to start from.
    settings : Settings
        The window of CT.
    device
        Not used.
    """

    def __init__(self, image: Image, start: NDArray[np.bool_], settings: Settings, device: str) -> None:  # noqa: ARG002
        self._unit = ndimage.gaussian_filter(to_unit(image, settings), (1, 1, 0))
        self._band = BAND * max(start.shape)
        self._seeds = np.zeros(start.shape, np.int32)
        for label, side in ((1, start), (2, ~start)):
            self._seeds[ndimage.distance_transform_edt(side) > self._band] = label

    def rerun(self, prediction: NDArray[np.bool_], strokes: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Walk from the strokes and from those parts far inside or outside the first border that no stroke contradicts.

        Parameters
        ----------
        prediction : numpy.ndarray
            (H, W) bool, the mask before the stroke; used only where seeds of one class are missing.
        strokes : numpy.ndarray
            (H, W) uint8, all strokes so far: 1 for object, 2 for background, 0 elsewhere.

        Returns
        -------
        numpy.ndarray
            (H, W) bool.
        """
        seeds = self._seeds.copy()
        for drawn, other in ((1, 2), (2, 1)):
            if (strokes == drawn).any():
                near = ndimage.distance_transform_edt(strokes != drawn) < self._band
                seeds[near & (seeds == other)] = 0
        seeds[strokes > 0] = strokes[strokes > 0]
        if not {1, 2} <= set(np.unique(seeds)):
            return np.where(strokes > 0, strokes == 1, prediction)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The probability range is outside", UserWarning)  # by less than 1 %
            return np.asarray(random_walker(self._unit, seeds, beta=BETA, mode="cg_j", channel_axis=-1) == 1)


class RandomForest:
    """A pixel classifier, as in ilastik and ConvPaint, on Gaussian features at several scales.

    It learns from the strokes and from a sample of the first mask.

    Parameters
    ----------
    image : Image
        One plane.
    start : numpy.ndarray
        (H, W) bool, the mask to start from.
    settings : Settings
        The window of CT.
    device
        Not used.
    """

    def __init__(self, image: Image, start: NDArray[np.bool_], settings: Settings, device: str) -> None:  # noqa: ARG002
        unit = to_unit(image, settings)
        channels = rgb2lab(unit) if unit.shape[2] == 3 else 100 * unit
        maps = []
        for scale in SCALES:
            maps += [ndimage.gaussian_filter(c, scale) for c in np.moveaxis(channels, -1, 0)]
            maps += [ndimage.gaussian_gradient_magnitude(c, scale) for c in np.moveaxis(channels, -1, 0)]
        self._features = np.stack(maps, axis=-1).reshape(start.size, -1).astype(np.float32)
        self._start = start.ravel()
        self._drawn = np.random.default_rng(0).choice(start.size, min(FROM_START, start.size), replace=False)

    def rerun(self, prediction: NDArray[np.bool_], strokes: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Learn from all strokes and a sample of the first mask; smooth, keep the largest part and what was painted.

        Parameters
        ----------
        prediction : numpy.ndarray
            (H, W) bool, the mask before the stroke; used only where examples of one class are missing.
        strokes : numpy.ndarray
            (H, W) uint8, all strokes so far: 1 for object, 2 for background, 0 elsewhere.

        Returns
        -------
        numpy.ndarray
            (H, W) bool.
        """
        from sklearn.ensemble import RandomForestClassifier

        flat = strokes.ravel()
        painted, others = np.flatnonzero(flat), self._drawn[flat[self._drawn] == 0]
        known = np.concatenate([flat[painted] == 1, self._start[others]])
        if known.all() or not known.any():
            return np.where(strokes > 0, strokes == 1, prediction)
        forest = RandomForestClassifier(TREES, min_samples_leaf=2, random_state=0)
        forest.fit(self._features[np.concatenate([painted, others])], known)
        mask = forest.predict_proba(self._features)[:, 1].reshape(strokes.shape) > 0.5
        mask = ndimage.median_filter(mask, 5)
        mask[strokes > 0] = strokes[strokes > 0] == 1
        parts, n = ndimage.label(mask)
        if n > 1:
            keep = np.isin(
                np.arange(n + 1), [*np.unique(parts[strokes == 1]), 1 + np.bincount(parts.ravel())[1:].argmax()]
            )
            mask = keep[parts] & mask
        return np.asarray(ndimage.binary_fill_holes(mask) & (strokes != 2))


CORRECTORS: Mapping[str, Callable[[Image, NDArray[np.bool_], Settings, str], Corrector]] = {
    "random-walker": RandomWalker,
    "random-forest": RandomForest,
    "s3net:no-network": lambda image, start, settings, device: Ours(
        image, start, settings.replace(start="random"), device
    ),
    "s3net": Ours,
}
#: Those that are ours.
OURS = frozenset({"s3net", "s3net:no-network"})
