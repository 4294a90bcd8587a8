"""Measure every cluster: how large, how bright, of which colour, and for CT what tissue that suggests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image

#: Upper limits in HU, and what lies below each; `tissue_name` has the sources.
TISSUES = (
    (-950, "Air"),
    (-500, "Lung"),
    (-190, ""),
    (-30, "Fat"),
    (150, "Soft tissue"),
    (300, "Bone or contrast"),
    (math.inf, "Bone"),
)
#: Standard deviations from the mean to the quartiles of a normal distribution.
QUARTILE = 0.674
#: From this size on a value is a fill value.
NO_MEASUREMENT = 1e20
#: Red, green and blue in luminance (ITU-R BT.601).
LUMINANCE = (0.299, 0.587, 0.114)
#: Pixels that are measured at a time: a photograph of 400 megapixels takes no more memory than one of four.
BAND_PIXELS = 2**22


@dataclass(frozen=True)
class Cluster:
    """One label of a result, measured.

    Parameters
    ----------
    id : int
        The label.
    name : str
        As given; for CT else the tissue that the mean suggests; may be empty.
    is_object : bool
        Whether it is part of the object.
    pixels : int
        How many there are.
    share : float
        Of the image, 0 to 1.
    area : float
        In `unit`; of a stack the volume.
    unit : {"mm²", "mm³", "pixels", "voxels"}
        Millimetres where the image knows its spacing.
    mean, sd : float
        Of the intensity: HU for CT, luminance from 0 to 255 for colours, else as in the image.
    colour : tuple of float or None
        Mean red, green and blue, 0 to 255; None for images without colours.
    """

    id: int
    name: str
    is_object: bool
    pixels: int
    share: float
    area: float
    unit: str
    mean: float
    sd: float
    colour: tuple[float, float, float] | None = None


def measure_clusters(
    labels: NDArray[Any], image: Image, *, foreground: Collection[int] = (), names: Mapping[int, str] | None = None
) -> list[Cluster]:
    """Measure every cluster of a label array.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) or (Z, H, W) whole numbers from 0 on; 0 is not a cluster.
    image : Image
        What was segmented, of the same shape.
    foreground : collection of int
        The ids of the object.
    names : mapping of int to str, optional
        A name of each id.

    Returns
    -------
    list of Cluster
        By id.

    Raises
    ------
    InvalidImageError
        If the labels do not have the image's shape.
    """
    if labels.shape != image.shape:
        raise InvalidImageError(f"The labels are {labels.shape}, the image is {image.shape}; expected the same shape.")
    ids = label_index(labels)[0]
    pixels, mean, sd, tints = _moments(labels, ids, image)
    size, unit = _pixel_size(image)
    return [
        Cluster(
            id=int(ids[i]),
            name=(names or {}).get(int(ids[i])) or (tissue_name(mean[i], sd[i]) if image.kind == "ct" else ""),
            is_object=int(ids[i]) in foreground,
            pixels=int(pixels[i]),
            share=float(pixels[i] / labels.size),
            area=float(pixels[i] * size),
            unit=unit,
            mean=float(mean[i]),
            sd=float(sd[i]),
            colour=None if tints is None else (float(tints[0, i]), float(tints[1, i]), float(tints[2, i])),
        )
        for i in range(len(ids))
        if ids[i] > 0 and pixels[i]
    ]


def _moments(
    labels: NDArray[Any], ids: NDArray[np.integer], image: Image
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Pixels, mean and standard deviation of each id, (n,), and its colour, (3, n); band by band to spare memory."""
    scale = _scale_to_255(image)
    pixels, sums, middle = np.zeros(len(ids), np.int64), np.zeros((6, len(ids))), None
    rows = max(1, BAND_PIXELS // max(1, labels[:1].size))
    for start in range(0, len(labels), rows):
        index = np.searchsorted(ids, labels[start : start + rows].ravel())
        pixels += np.bincount(index, minlength=len(ids))
        band = image.array[start : start + rows]
        colours = _scaled(band, scale) if scale is not None else None
        values = (band.ravel() if colours is None else colours @ np.array(LUMINANCE, np.float32)).astype(np.float64)
        if not (measured := is_measured(values)).all():
            index, values = index[measured], values[measured]
            colours = colours if colours is None else colours[measured]
        if middle is None and values.size:  # near the values, so that large ones lose no digits
            middle = values.mean()
        values -= middle or 0.0
        sums[0] += np.bincount(index, minlength=len(ids))
        sums[1] += np.bincount(index, values, len(ids))
        sums[2] += np.bincount(index, np.square(values, out=values), len(ids))
        if colours is not None:
            sums[3:] += [np.bincount(index, channel, len(ids)) for channel in colours.T]
    n = np.maximum(sums[0], 1)
    mean, square = sums[1] / n, sums[2] / n
    sd = np.sqrt(np.maximum(square - mean**2, 0))
    mean = np.where(sums[0] > 0, mean + (middle or 0.0), 0.0)
    return pixels, mean, sd, sums[3:] / n if scale is not None else None


def count_voxels(labels: NDArray[Any]) -> dict[int, int]:
    """Count the voxels of each label, slice by slice.

    Parameters
    ----------
    labels : numpy.ndarray
        (Z, H, W) whole numbers from 0 on. They may change meanwhile: each slice is counted as it is at one moment.

    Returns
    -------
    dict of int to int
        By label above 0; only labels that occur.
    """
    counts: Counter[int] = Counter()
    for plane in labels:
        ids, index = label_index(plane.copy())
        counts.update(dict(zip(ids.tolist(), np.bincount(index.ravel()).tolist(), strict=True)))
    return {label: n for label, n in sorted(counts.items()) if label > 0 and n}


def tissue_name(middle_hu: float, spread: float = 0.0) -> str:
    """Name the tissue of a cluster, if it is one: the middle half of its values lies in the range of one tissue.

    Aerated lung reaches to −500 HU (Gattinoni et al. 2001, Am J Respir Crit Care Med 164:1701), fat from −190 to −30
    and muscle and organs to 150 HU (Mitsiopoulos et al. 1998, J Appl Physiol 85:115). Above, up to some 300 HU,
    trabecular bone and vessels with contrast medium overlap. Between lung and fat nothing homogeneous lies in a chest.

    Parameters
    ----------
    middle_hu : float
        Median or mean, in HU.
    spread : float, optional
        Standard deviation in HU; the middle half of a normal distribution lies within 0.674 of it on both sides.

    Returns
    -------
    str
        One of `TISSUES`; empty where it is no single tissue, and for NaN.
    """
    names = {next((name for limit, name in TISSUES if hu < limit), "") for hu in _middle_half(middle_hu, spread)}
    return names.pop() if len(names) == 1 else ""


def _middle_half(middle: float, spread: float) -> tuple[float, float]:
    """Between which values half of a normal distribution lies."""
    return middle - QUARTILE * spread, middle + QUARTILE * spread


def label_index(labels: NDArray[Any]) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Index the labels, as `numpy.unique` with `return_inverse` does, but without sorting where they are small numbers.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers of any shape.

    Returns
    -------
    ids : numpy.ndarray
        In ascending order; some may have no pixel.
    index : numpy.ndarray
        Of each pixel of the flattened labels, the position of its id in `ids`.
    """
    flat = labels.ravel()
    if flat.size and int(flat.min()) >= 0 and int(flat.max()) < 2**16:
        return np.arange(int(flat.max()) + 1), flat
    return np.unique(flat, return_inverse=True)


def is_measured(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell values from NaN, infinity and fill values.

    Parameters
    ----------
    values : numpy.ndarray
        Of any shape.

    Returns
    -------
    numpy.ndarray
        bool, of the same shape.
    """
    return np.asarray(np.abs(values) < np.float32(NO_MEASUREMENT))


def mean_and_sd(
    index: NDArray[np.integer], values: NDArray[Any], ids: int
) -> tuple[NDArray[np.integer], NDArray[np.float64], NDArray[np.float64]]:
    """Compute mean and standard deviation of each cluster, about the overall mean so that large values lose no digits.

    Parameters
    ----------
    index : numpy.ndarray
        (pixels,), from `label_index`.
    values : numpy.ndarray
        (pixels,). NaN, infinity and fill values do not count.
    ids : int
        How many clusters there are.

    Returns
    -------
    n : numpy.ndarray
        (ids,), how many values of each cluster count.
    mean, sd : numpy.ndarray
        (ids,) each; NaN where no value counts.
    """
    if values.dtype.kind == "f" and not (measured := is_measured(values)).all():
        index, values = index[measured], values[measured]
    n = np.bincount(index, minlength=ids)
    values = values.astype(np.float64)
    middle = values.mean() if values.size else 0.0
    values -= middle
    with np.errstate(invalid="ignore"):
        mean = np.bincount(index, values, ids) / n
        square = np.bincount(index, np.square(values, out=values), ids) / n
    return n, mean + middle, np.sqrt(np.maximum(square - mean**2, 0))


def colours_to_255(image: Image) -> NDArray[np.float32] | None:
    """Bring red, green and blue to the range from 0 to 255.

    Whole numbers are scaled from the range of their type. Floats are taken as from 0 to 1, or from 0 to 255 where one
    is above 1.

    Parameters
    ----------
    image : Image
        A plane or a stack.

    Returns
    -------
    numpy.ndarray or None
        (pixels, 3) float32; None for images without colours.
    """
    scale = _scale_to_255(image)
    return None if scale is None else _scaled(image.array, scale)


def _scaled(array: NDArray[Any], scale: np.float32) -> NDArray[np.float32]:
    """(pixels, 3) colours times a factor; fill values may become infinite by it."""
    with np.errstate(over="ignore"):
        return np.asarray(array.reshape(-1, 3).astype(np.float32) * scale)


def _scale_to_255(image: Image) -> np.float32 | None:
    """The factor that brings colours to a range from 0 to 255; None for images without colours."""
    if image.kind != "rgb":
        return None
    if image.array.dtype.kind in "iu":
        return np.float32(255 / float(np.iinfo(image.array.dtype).max))
    return np.float32(255 if image.array.max(where=is_measured(image.array), initial=0) <= 1 else 1)


def _pixel_size(image: Image) -> tuple[float, str]:
    """Area of a pixel or volume of a voxel, and its unit."""
    if image.geometry.unit == "mm":
        return math.prod(image.geometry.spacing), "mm³" if image.is_stack else "mm²"
    return 1.0, "voxels" if image.is_stack else "pixels"
