"""Measure every region of a result, and the whole object, as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.labels import shape
from napari_s3net.labels.measure import colours_to_255, label_index, mean_and_sd, tissue_name

#: The row of the whole object has this in the place of a label's number.
WHOLE_OBJECT = "object"
_LENGTHS = ("perimeter", "equivalent_diameter", "longest_diameter")
_CHANNELS = ("grey", "hu", "red", "green", "blue")
#: The columns of a table of regions. Units are in the names: px for pixels, or voxels of a stack; mm; mm2; ml; hu.
#: Colours are from 0 to 255, grey values as in the image; a centroid is an index into the array, from 0.
COLUMNS = (
    "label",
    "name",
    "object",
    "area_px",
    "area_mm2",
    "volume_ml",
    *(f"{name}_{unit}" for name in _LENGTHS for unit in ("px", "mm")),
    "eccentricity",
    "asymmetry",
    *(f"{moment}_{channel}" for channel in _CHANNELS for moment in ("mean", "sd")),
    *(f"centroid_{axis}_px" for axis in "xyz"),
)


@dataclass(frozen=True)
class Region:
    """One label of a result, or the whole object.

    Parameters
    ----------
    label : int or None
        None for the whole object.
    name : str
        May be empty.
    is_object : bool
        Whether it is part of the object.
    pixels : int
        How many pixels or voxels there are; 0 only where there is no object.
    spacing : tuple of float
        Of each axis.
    unit : {"mm", "pixel"}
        Of the spacing and of all lengths.
    centroid : tuple of float
        In array order, in pixels.
    perimeter, eccentricity, asymmetry : float or None
        Of plane regions only; see `napari_s3net.labels.shape`.
    longest_diameter : float or None
        Between its two farthest points.
    means, sds : mapping of str to float
        Of each channel: "grey", "hu", or "red", "green" and "blue".
    """

    label: int | None
    name: str
    is_object: bool
    pixels: int
    spacing: tuple[float, ...]
    unit: str
    centroid: tuple[float, ...] = ()
    perimeter: float | None = None
    longest_diameter: float | None = None
    eccentricity: float | None = None
    asymmetry: float | None = None
    means: Mapping[str, float] | None = None
    sds: Mapping[str, float] | None = None

    @property
    def size(self) -> float:
        """Area or volume in the square or cube of the unit."""
        return self.pixels * math.prod(self.spacing)

    @property
    def equivalent_diameter(self) -> float:
        """Diameter of the disc, or ball, of the same size."""
        if len(self.spacing) == 2:
            return 2 * math.sqrt(self.size / math.pi)
        return float(2 * (0.75 * self.size / math.pi) ** (1 / 3))

    def to_columns(self) -> dict[str, Any]:
        """Lay the region out as a row of a table; numbers are rounded to six digits.

        Returns
        -------
        dict of str to Any
            By `COLUMNS`; what does not apply, or is no number, is left out.
        """
        metric = self.unit == "mm"
        unit = "mm" if metric else "px"
        row: dict[str, Any] = {
            "label": WHOLE_OBJECT if self.label is None else self.label,
            "name": self.name,
            "object": int(self.is_object),
            "area_px": self.pixels,
            "area_mm2": self.size if metric and len(self.spacing) == 2 else None,
            "volume_ml": self.size / 1000 if metric and len(self.spacing) == 3 else None,
        }
        if self.pixels:
            row |= {f"{name}_{unit}": getattr(self, name) for name in _LENGTHS}
            row |= {"eccentricity": self.eccentricity, "asymmetry": self.asymmetry}
            row |= {f"mean_{channel}": value for channel, value in (self.means or {}).items()}
            row |= {f"sd_{channel}": value for channel, value in (self.sds or {}).items()}
            row |= {f"centroid_{axis}_px": x for axis, x in zip("xyz", self.centroid[::-1], strict=False)}
        return {name: _six_digits(value) for name, value in row.items() if value is not None and value == value}


def _six_digits(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def measure_regions(
    labels: NDArray[Any],
    image: Image,
    *,
    foreground: Collection[int] = (),
    names: Mapping[int, str] | None = None,
    asymmetry: bool = False,
) -> list[Region]:
    """Measure the whole object and every label.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) or (Z, H, W) whole numbers from 0 on; 0 is not a region.
    image : Image
        What was segmented, of the same shape.
    foreground : collection of int
        The labels of the object.
    names : mapping of int to str, optional
        A name of each label.
    asymmetry : bool
        Measure that of the whole object, as for lesions.

    Returns
    -------
    list of Region
        The object first, also where it is empty; then each label by its number.

    Raises
    ------
    InvalidImageError
        If the labels do not have the image's shape.
    """
    if labels.shape != image.shape:
        raise InvalidImageError(f"The labels are {labels.shape}, the image is {image.shape}; expected the same shape.")
    boxes = _boxes(labels)
    statistics = _channel_statistics(labels, image, foreground)
    parts = [_measure_region(labels[box] == i, box, i, image, statistics) for i, box in boxes.items()]
    mine = [part for part in parts if part.label in foreground]
    box = _common_box([boxes[i] for i in foreground if i in boxes])
    inside = None if box is None else np.isin(labels[box], list(foreground))
    whole = replace(mine[0], label=None) if len(mine) == 1 else _measure_region(inside, box, None, image, statistics)
    if asymmetry and inside is not None and not image.is_stack:
        whole = replace(whole, asymmetry=shape.asymmetry(inside, image.geometry.spacing))
    names = names or {}
    named = [replace(p, name=_name(p, names), is_object=p.label in foreground) for p in parts]
    return [replace(whole, is_object=True), *named]


def _boxes(labels: NDArray[Any]) -> dict[int, tuple[slice, ...]]:
    """The smallest box around each label that occurs, by its number, which may be large."""
    ids, index = label_index(labels)
    found: Iterable[tuple[int, tuple[slice, ...] | None]]
    if int(labels.max(initial=0)) >= len(ids):
        found = zip(ids.tolist(), ndimage.find_objects(index.reshape(labels.shape) + 1), strict=True)
    else:
        found = enumerate(ndimage.find_objects(labels), 1)
    return {label: box for label, box in found if label > 0 and box is not None}


def _common_box(boxes: Sequence[tuple[slice, ...]]) -> tuple[slice, ...] | None:
    """The smallest box around all of these; None of none."""
    sides = zip(*boxes, strict=True)
    return tuple(slice(min(s.start for s in side), max(s.stop for s in side)) for side in sides) or None


def _name(region: Region, names: Mapping[int, str]) -> str:
    """As given; for CT else the tissue that the values suggest."""
    given = names.get(region.label or 0, "")
    if given or not region.means or not region.sds or "hu" not in region.means:
        return given
    return tissue_name(region.means["hu"], region.sds["hu"])


#: Mean and standard deviation of each channel, of each label; None stands for the whole object.
ChannelStatistics = dict[int | None, dict[str, tuple[float, float]]]


def _channel_statistics(labels: NDArray[Any], image: Image, foreground: Collection[int]) -> ChannelStatistics:
    """Mean and standard deviation of each channel; those of the whole object are pooled from its labels'."""
    ids, index = label_index(labels)
    part = np.isin(ids, list(foreground))
    statistics: ChannelStatistics = {None: {}, **{int(i): {} for i in ids}}
    names, channels = _channels(image)
    for name, values in zip(names, channels, strict=True):
        moments = _byte_mean_and_sd if values.dtype == np.uint8 else mean_and_sd
        n, mean, sd = moments(index, values, len(ids))
        for i, m, s in zip(ids, mean, sd, strict=True):
            statistics[int(i)][name] = float(m), float(s)
        statistics[None][name] = _pooled(n[part], mean[part], sd[part])
    return statistics


def _pooled(n: NDArray[np.integer], mean: NDArray[np.float64], sd: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation of several clusters together; NaN where no value counts."""
    n, mean, sd = n[n > 0], mean[n > 0], sd[n > 0]
    if not n.size:
        return math.nan, math.nan
    shares = n / n.sum()
    whole = float(shares @ mean)
    return whole, math.sqrt(shares @ (sd**2 + (mean - whole) ** 2))


def _channels(image: Image) -> tuple[tuple[str, ...], tuple[NDArray[Any], ...]]:
    """Names and values of the channels; colours from 0 to 255."""
    if image.kind != "rgb":
        return ("hu" if image.kind == "ct" else "grey",), (image.array.ravel(),)
    colours = image.array.reshape(-1, 3) if image.array.dtype == np.uint8 else colours_to_255(image)
    assert colours is not None  # noqa: S101 - it has them
    return ("red", "green", "blue"), tuple(colours.T)


def _byte_mean_and_sd(
    index: NDArray[np.integer], values: NDArray[np.uint8], ids: int
) -> tuple[NDArray[np.integer], NDArray[np.float64], NDArray[np.float64]]:
    """The same as `measure.mean_and_sd` for values of one byte, several times faster: by a histogram."""
    counts = np.bincount(index.astype(np.intp) * 256 + values, minlength=256 * ids).reshape(-1, 256)
    n, levels = counts.sum(axis=1), np.arange(256.0)
    with np.errstate(invalid="ignore"):
        mean = counts @ levels / n
        return n, mean, np.sqrt(np.maximum(counts @ levels**2 / n - mean**2, 0))


def _measure_region(
    inside: NDArray[np.bool_] | None,
    box: tuple[slice, ...] | None,
    label: int | None,
    image: Image,
    statistics: ChannelStatistics,
) -> Region:
    """Measure one region from its mask within its bounding box; a region of no pixels where the mask is None."""
    spacing, unit = image.geometry.spacing, image.geometry.unit
    if inside is None or box is None:
        return Region(label, "", False, 0, spacing, unit)
    longest = shape.longest_diameter(inside, spacing)
    plane: dict[str, Any] = {}
    if inside.ndim == 2:
        centre, covariance = shape.second_moments(inside, spacing)
        plane = {"perimeter": shape.perimeter(inside, spacing), "eccentricity": shape.eccentricity(covariance)}
    else:
        centre = np.array([_mean_place(inside, axis) for axis in range(3)])
    return Region(
        label=label,
        name="",
        is_object=False,
        pixels=int(np.count_nonzero(inside)),
        spacing=spacing,
        unit=unit,
        centroid=tuple(float(c + b.start) for c, b in zip(centre, box, strict=True)),
        longest_diameter=longest,
        means={channel: mean for channel, (mean, _) in statistics[label].items()},
        sds={channel: sd for channel, (_, sd) in statistics[label].items()},
        **plane,
    )


def _mean_place(mask: NDArray[np.bool_], axis: int) -> float:
    """Mean index along an axis."""
    counts = np.count_nonzero(mask, axis=tuple(a for a in range(mask.ndim) if a != axis))
    return float(counts @ np.arange(len(counts)) / counts.sum())
