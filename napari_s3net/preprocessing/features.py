"""From an image to what the network is given to see: window, hairs, size."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import clear_border
from skimage.transform import resize

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.settings import Settings

#: Percentiles between which intensities without a unit are stretched.
ROBUST = (0.5, 99.5)
#: Rows and columns that are enough for percentiles of an image.
SAMPLED_SIZE = 512
#: Median HU of a lung, deep breath to shallow; pure gas lies below.
LUNG_HU = (-930, -400)
#: From this share of lung on it is what is looked for: in a plane by itself, and in the middle of a stack.
SMALLEST_CHEST = (0.0006, 0.01)
#: A hair is narrower than this share of the longer side, and darker than its sides by so much and by so many standard
#: deviations of all such differences; a photograph with less than this share of such pixels is not hairy.
HAIR_WIDTH, HAIR_CONTRAST, HAIR_DEVIATIONS, HAIRY = 0.04, 0.1, 3.0, 0.04
#: With more than this share covered by hairs and their rims, too little is seen to fill them from.
TOO_HAIRY = 0.5


def check_plane(image: Image) -> None:
    """Raise `InvalidImageError` unless the image is one plane of finite, varying values, at least 16 × 16."""
    array = image.array
    if image.is_stack:
        raise InvalidImageError(f"Expected one plane; got a stack of shape {array.shape}. Choose a slice first.")
    if min(image.shape) < 16:
        raise InvalidImageError(f"Expected at least 16 × 16 pixels; got {image.shape[0]} × {image.shape[1]}.")
    if array.dtype.kind not in "buif":
        raise InvalidImageError(f"Expected numbers; got {array.dtype}.")
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise InvalidImageError(f"{bad} values are NaN or infinite. Replace them, for example by the smallest value.")
    if array.min() == array.max():
        raise InvalidImageError(f"Every pixel has the value {array.flat[0]}: there is nothing to tell apart.")


def suggest_preset(image: Image) -> str:
    """Name the preset that suits an image: by its kind, and for CT by how much lung the body holds."""
    if image.kind == "rgb":
        return "skin"
    if image.kind == "mr":
        return "mri"
    if image.kind == "ct":
        plane = image.array[len(image.array) // 2] if image.is_stack else image.array
        return "ct-lung" if _share_of_lung(plane) > SMALLEST_CHEST[image.is_stack] else "ct-soft"
    return "generic"


def _share_of_lung(hu: NDArray[Any]) -> float:
    """How much of a CT slice is air of a lung's density in large parts enclosed by the body: no gas, no blanket."""
    parts, n = ndimage.label(ndimage.binary_opening(clear_border(hu < LUNG_HU[1])))
    if n == 0:
        return 0.0
    numbers = np.arange(1, n + 1)
    is_lung = np.asarray(ndimage.median(hu, parts, numbers)) > LUNG_HU[0]
    return float(np.bincount(parts.ravel())[1:][is_lung].sum() / hu.size)


def to_unit(image: Image, settings: Settings, *, step: int = 1) -> NDArray[np.float32]:
    """Intensities between 0 and 1, (H, W, C) with C = 1 or 3: CT through its window, others by robust percentiles.

    A change of brightness or contrast of an image without a unit leaves the result as it is. A `step` takes every so
    many rows and columns only.
    """
    return _through_window(image.array[::step, ::step], image, settings)


def sampling_step(shape: tuple[int, ...]) -> int:
    """Every how many rows and columns are enough for means and percentiles of an image of this shape."""
    return 1 + max(shape) // SAMPLED_SIZE


def _through_window(array: NDArray[Any], image: Image, settings: Settings) -> NDArray[np.float32]:
    """Intensities of an image, or means of them, in [0, 1] and with an axis of channels."""
    if image.kind == "ct":
        low, high = settings.window_low, settings.window_high
    else:
        step = sampling_step(image.shape)
        low, high = _robust_range(image.array[::step, ::step])
        if high <= low:
            low, high = float(image.array.min()), float(image.array.max())
    unit: NDArray[np.float32] = np.subtract(array, low, dtype=np.float32)
    unit *= np.float32(1 / (high - low))
    np.clip(unit, 0, 1, out=unit)
    return unit if image.kind == "rgb" else unit[..., None]


def _robust_range(values: NDArray[Any]) -> tuple[float, float]:
    """The `ROBUST` percentiles of an array; those of bytes are counted, which takes a tenth of the time."""
    if values.dtype != np.uint8:
        low, high = np.percentile(values.astype(np.float32), ROBUST)
        return float(low), float(high)
    ranks = np.asarray(ROBUST) / 100 * (values.size - 1)
    up_to = np.cumsum(np.bincount(values.ravel(), minlength=256))
    below, above = (np.searchsorted(up_to, whole, "right") for whole in (np.floor(ranks), np.ceil(ranks)))
    low, high = below + (ranks % 1) * (above - below)
    return float(low), float(high)


def over_channels(ufunc: np.ufunc, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Reduce the last axis, that of the channels, by a ufunc: numpy itself is many times slower on so short an axis."""
    return np.asarray(reduce(ufunc, np.moveaxis(values, -1, 0)))


def to_grey(unit: NDArray[np.floating]) -> NDArray[np.floating]:
    """The mean of the channels, (H, W)."""
    return np.asarray(over_channels(np.add, unit) / unit.shape[-1])


def _block_means(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Means of an array (H, W, …) over the blocks of a grid of `shape`, whose lines lie on whole pixels."""
    means = array
    for n in shape:  # rows first, then columns: each time along the first axis, where memory is contiguous
        edges = np.round(np.linspace(0, len(means), n + 1)).astype(int)
        blocks = np.empty((n, *means.shape[1:]), np.float32)
        for block, start, end in zip(blocks, edges, edges[1:], strict=False):
            np.add.reduce(means[start:end], axis=0, out=block, dtype=np.float32)
        blocks /= np.diff(edges).astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
        means = np.ascontiguousarray(blocks.swapaxes(0, 1))
    return means


def remove_hair(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill the hairs of a photograph (H, W, 3) from what lies beside them; one with few is left as it is.

    Dark lines stand out where the darkest channel is closed across and down (after Lee et al. 1997, "DullRazor").
    Dots and streaks of a lesion look alike, so only where such lines cover much of the image are they taken for hairs.
    Lines on more than about an eighth of the pixels no longer stand out from their own spread, and stay.
    """
    dark = over_channels(np.minimum, unit)
    length = 2 * round(HAIR_WIDTH * max(dark.shape) / 2) + 1
    across, down = (ndimage.grey_closing(dark, size=size) for size in ((1, length), (length, 1)))
    hat = np.maximum(across, down) - dark
    hair = hat > max(HAIR_CONTRAST, HAIR_DEVIATIONS * float(hat.std()))
    if hair.mean() < HAIRY:
        return unit
    hair = ndimage.binary_dilation(hair)
    if hair.mean() > TOO_HAIRY:
        return unit
    near = ndimage.distance_transform_edt(hair, return_distances=False, return_indices=True)
    filled = unit[near[0], near[1]]
    smooth = np.stack([ndimage.uniform_filter(filled[..., c], 5) for c in range(3)], axis=-1)
    return np.where(hair[..., None], smooth, unit).astype(np.float32)


def _halved(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """What `resize` makes of an image (2h, 2w, C) at half its size, in a third of the time."""
    smooth = ndimage.gaussian_filter(unit, (0.5, 0.5, 0), mode="mirror")
    return np.asarray((smooth[::2, ::2] + smooth[1::2, ::2] + smooth[::2, 1::2] + smooth[1::2, 1::2]) / 4)


def to_features(image: Image, settings: Settings) -> NDArray[np.float32]:
    """The image at the working size, in [0, 1]: (h, w, C); with hairs filled where the settings ask for it.

    Hairs are thin, so they are looked for before the last step of shrinking; see `remove_hair`.
    """
    shape = settings.working_shape(image.shape)
    array = image.array
    if max(image.shape) > 2 * max(shape):  # large: means of blocks first, and the smoother way for the rest
        array = _block_means(array, (2 * shape[0], 2 * shape[1]))
    unit = _through_window(array, image, settings)
    if settings.remove_hair and image.kind == "rgb":
        unit = remove_hair(unit)
    if unit.shape[:2] == (2 * shape[0], 2 * shape[1]):
        return _halved(unit)
    return np.asarray(resize(unit, (*shape, unit.shape[2]), order=1, anti_aliasing=True), np.float32)
