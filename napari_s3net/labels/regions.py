"""Every region of a result, measured: a row of numbers each, and one for the whole object."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.labels import shape
from napari_s3net.labels.measure import colours_of, tissue_name

#: What stands for the whole object where others have the number of a label.
OBJECT = "object"
_LENGTHS = ("perimeter", "equivalent_diameter", "longest_diameter")
_CHANNELS = ("grey", "hu", "red", "green", "blue")
#: The columns of a table of regions. Units are in the names: px pixels (voxels of a stack), mm, mm2, ml, hu.
#: Colours are from 0 to 255, grey as in the image; a centroid is the index of the voxel, from 0.
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
        """The row by `COLUMNS`; numbers have six digits, and what is unknown or does not apply is left out."""
        metric = self.unit == "mm"
        unit = "mm" if metric else "px"
        row: dict[str, Any] = {
            "label": OBJECT if self.label is None else self.label,
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
        return {name: _short(value) for name, value in row.items() if value is not None and value == value}


def _short(value: Any) -> Any:
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
    ids = [int(i) for i in np.unique(labels) if i > 0]
    values = _intensities(image)
    whole = _measure(np.isin(labels, list(foreground)), None, image, values, asymmetry=asymmetry)
    whole = _named(whole, "", is_object=True)
    parts = [_measure(labels == i, i, image, values) for i in ids]
    named = [_named(part, _name(part, names or {}), is_object=part.label in foreground) for part in parts]
    return [whole, *named]


def _named(region: Region, name: str, *, is_object: bool) -> Region:
    return replace(region, name=name, is_object=is_object)


def _name(region: Region, names: Mapping[int, str]) -> str:
    """As given; for CT else the tissue that the mean suggests."""
    given = names.get(region.label or 0, "")
    return given or (tissue_name(region.means["hu"]) if region.means and "hu" in region.means else "")


def _intensities(image: Image) -> dict[str, NDArray[Any]]:
    """The channels by name, each of the image's shape."""
    colours = colours_of(image)
    if colours is None:
        return {"hu" if image.kind == "ct" else "grey": image.array}
    return {name: colours[:, i].reshape(image.shape) for i, name in enumerate(("red", "green", "blue"))}


def _measure(
    mask: NDArray[np.bool_],
    label: int | None,
    image: Image,
    values: Mapping[str, NDArray[Any]],
    *,
    asymmetry: bool = False,
) -> Region:
    """One region, looked at in its own box."""
    spacing, unit = image.geometry.spacing, image.geometry.unit
    box = _box(mask)
    if box is None:
        return Region(label, "", False, 0, spacing, unit)
    inside = mask[box]
    pixels = int(np.count_nonzero(inside))
    plane: dict[str, Any] = {}
    if inside.ndim == 2:
        centre, covariance = shape.second_moments(inside, spacing)
        plane = {"perimeter": shape.perimeter(inside, spacing), "eccentricity": shape.eccentricity(covariance)}
        if asymmetry:
            plane["asymmetry"] = shape.asymmetry(inside, spacing, centre, covariance)
    else:
        centre = np.array([_mean_place(inside, axis) for axis in range(3)])
    picked = {name: channel[box][inside].astype(np.float64) for name, channel in values.items()}
    return Region(
        label=label,
        name="",
        is_object=False,
        pixels=pixels,
        spacing=spacing,
        unit=unit,
        centroid=tuple(float(c + b.start) for c, b in zip(centre, box, strict=True)),
        longest_diameter=shape.longest_diameter(inside, spacing),
        means={name: float(v.mean()) for name, v in picked.items()},
        sds={name: float(v.std()) for name, v in picked.items()},
        **plane,
    )


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """The smallest box around a region; None where it is empty."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        where = np.flatnonzero(mask.any(axis=others))
        if not len(where):
            return None
        box.append(slice(int(where[0]), int(where[-1]) + 1))
    return tuple(box)


def _mean_place(mask: NDArray[np.bool_], axis: int) -> float:
    """Mean index along an axis."""
    counts = mask.sum(axis=tuple(a for a in range(mask.ndim) if a != axis), dtype=float)
    return float(counts @ np.arange(len(counts)) / counts.sum())
